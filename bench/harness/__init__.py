"""What ./dev bench is made of; README.md of the folder above says what it measures."""
