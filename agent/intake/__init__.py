"""How alerts come in: what monitors say, which incident it belongs to, and whether it is worth an investigation."""
