"""nbgrader: a course whose grades come out of the kit's core.

nbgrader runs hidden tests in the kernel in which the student's code has just run, so whoever writes the notebook writes
the score. Here it keeps all that it is good at (exchange, formgrader, gradebook, feedback, late penalties), and the
step that runs a notebook is replaced: nothing of a student's is run by nbgrader, and nothing hidden is ever in a
notebook, in the database or on a page, because it is in none of the files that nbgrader sees.

    building       the course folder: source notebooks, and nbgrader_config.py
    settings       what nbgrader_config.py sets
    reading        notebooks as they come, whatever they are
    repair         cells that were duplicated, retyped, moved, deleted or stripped, brought back
    results        what was graded, kept until submission, suite, references or version change
    course         a class graded in parallel, before nbgrader asks
    preprocessors  the steps of nbgrader that are replaced
    export         a table with a row per question
"""
