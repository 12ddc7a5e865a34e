"""The workspace: Odoo 19, PostgreSQL and a browser for this repository, set up on demand.

Only the standard library is used, because these modules run before anything is installed.
All state lives in ``.dev/`` (``AR_DEV_HOME`` moves it); removing that folder undoes everything.

Programs that run inside the environment (``bin/replay``, ``bin/bench``, tests) may use::

    from workspace.session import open_session
    from workspace.databases import ensure_database

    with open_session() as session:
        ensure_database(session, "ar_replay", demo=True)
        session.odoo("shell", "-d", "ar_replay", input="print(env.user.name)")
"""
