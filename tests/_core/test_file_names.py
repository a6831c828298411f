"""Names of files."""

from pdeflow._core.file_names import file_name


def test_plain_words_stay_and_others_get_a_mark_of_their_own():
    assert file_name("convergence", "ou", "w2", ending=".png") == "convergence-ou-w2.png"
    plus, minus = file_name("well +"), file_name("well -")
    assert plus.startswith("well__-") and minus.startswith("well__-") and plus != minus
    assert file_name("Ou") != file_name("ou") == "ou" and file_name("nul") != "nul"
