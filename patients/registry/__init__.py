"""Who a person is, who cares for them, and who may see them."""
