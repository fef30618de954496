"""Series of figures: a middle and its range, steps and what they do, dates and how long they are apart."""
