"""The ground that everything else stands on: errors, arrays, files, and no word of the subject."""
