"""What a text gives as evidence, in any field: figures with the words that they belong to, and what they bear out."""
