"""What a text gives as evidence, in any field: figures, the words they belong to, what they bear out."""
