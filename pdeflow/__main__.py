"""python -m pdeflow"""

from .cli import main

main()
