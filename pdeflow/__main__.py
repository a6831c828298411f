"""python -m pdeflow"""

from .cli.main import main

main()
