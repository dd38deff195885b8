"""Attribution: how much each position of an image contributes to a prediction."""
