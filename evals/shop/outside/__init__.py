"""What the shop does not own: the bank, the distance to the database, and an exporter beside it. No release holds them."""
