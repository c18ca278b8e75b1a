"""The bench: what a device of this machine achieves on products, copies, the embedded encoder and its tuning."""
