"""What a text states of tissues, conditions and genes, held against each of the table's figures."""
