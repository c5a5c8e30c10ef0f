"""The clinical app."""

from django.apps import AppConfig


class ClinicalConfig(AppConfig):
    """The therapist's work and insight, and the composition root."""

    name = "clinical"
    label = "clinical"
    verbose_name = "Clinical"

    def ready(self) -> None:
        """Add sources of timelines and treatments, the topic of caseloads, and what pages say of them."""
        from clinical.assessments import episodes
        from clinical.assessments.asking import screener_address
        from clinical.breakglass.showing import glass_strip, notice_strip
        from clinical.caseload.live import CaseloadSource
        from clinical.chart.added import register_added
        from clinical.chart.leads import register_leads
        from clinical.pathway.beginning.charted import register_beginning
        from clinical.plans.allergies.charted import register_allergies
        from clinical.plans.queries import signed_since
        from clinical.plans.reviews.queries import episodes_of
        from clinical.safetyplans.charted import register_safety_plan
        from clinical.scheduling.queries import next_starts
        from clinical.sessions.queries import ran
        from clinical.timeline.care import register_care
        from clinical.timeline.own import register_own
        from clinical.timeline.treatment import register_treatment
        from clinical.timeline.ways import register_ways
        from cortex.live import topics
        from cortex.ui import strips
        from crisis.followups import screeners
        from crisis.stepdown import booked
        from patients.labels.queries import register_ran

        register_own()
        register_care()
        register_treatment()
        register_ways()
        register_added()
        register_leads()
        register_beginning()
        register_allergies()
        register_safety_plan()
        booked.register(next_starts)
        screeners.register(screener_address)
        episodes.register(episodes_of)
        episodes.register_changes(signed_since)
        register_ran(ran)
        topics.register("caseload", CaseloadSource())
        strips.register(glass_strip)
        strips.register(notice_strip)
