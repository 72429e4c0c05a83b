"""The doctor: looks at everything that fundwatch rests on, and says what it finds. Changes nothing."""
