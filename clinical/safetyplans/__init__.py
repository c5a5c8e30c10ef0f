"""What a chart shows of the safety plan: its frame, its flag, its card and its place on the timeline."""
