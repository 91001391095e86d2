#!/usr/bin/env python3
"""What the reference says to alice.hjson with one value changed: faults.json.

`nncp-cfgmin` reads each: {"at": [keys], "value": ..., "error": message}; "value" absent means the key is removed, and
"error" null that nothing is wrong. Where packmule differs on purpose, "ours" is a part of its message, or null.
Usage: make-faults.py > faults.json (needs nncp-cfgmin; made with 8.8.2)
"""
import copy
import json
import os
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ALICE = json.load(open(os.path.join(HERE, 'alice.hjson')))
BOB = ALICE['neigh']['bob']
GONE = object()
ROWS = []

def row(path, value, **ours):
    ROWS.append((path.split('/'), value, ours))

for key in ['id', 'exchpub', 'exchprv', 'signpub', 'signprv', 'noisepub', 'noiseprv']:
    for value in ['MZXW6', 'nosuch', '', GONE]:
        row('self/' + key, value)
for key in ['id', 'exchpub', 'signpub', 'noisepub']:
    for value in ['MZXW6', 'nosuch', '', GONE]:
        row('neigh/bob/' + key, value)
row('neigh/bob/id', BOB['id'].lower())
row('neigh/bob/id', BOB['id'] + '====')
row('neigh/bob/id', BOB['id'][:20] + '\r\n' + BOB['id'][20:])
row('neigh/bob/exchpub', BOB['exchpub'][:-1] + 'B')
for key, value in [
    ('via', ['nosuch']), ('via', ['']), ('via', ['MZXW6']), ('via', [None]), ('via', ['A' * 52]), ('via', ['carol', BOB['id'], 'self']),
    ('via', ['Carol']), ('incoming', 'a'), ('incoming', ''), ('incoming', '/a/../../b//.'), ('freq', {'path': 'a'}), ('freq', {'path': ''}),
    ('freq', {'chunked': 0}), ('freq', {'chunked': 1}), ('freq', {'maxsize': 0}), ('freq', {}), ('onlinedeadline', 0), ('onlinedeadline', 1),
    ('maxonlinetime', 0), ('rxrate', -5), ('exec', {'a': []}), ('exec', {'a': None}), ('addrs', {'a': None}), ('calls', [None]),
    ('calls', [{}]), ('calls', []),
]:
    row('neigh/bob/' + key, value)
for call in [
    {'cron': ''}, {'cron': '* * * *'}, {'cron': '61 * * * *'}, {'cron': '*/0 * * * *'}, {'nice': 'X'}, {'nice': ''}, {'nice': '0'}, {'nice': '256'},
    {'nice': 'F+33'}, {'nice': 'flash-31'}, {'xx': ''}, {'xx': 'RX'}, {'xx': 'rx'}, {'onlinedeadline': 0}, {'maxonlinetime': 0}, {'addr': ''},
    {'addr': 'x'}, {'rxrate': -1},
]:
    row('neigh/bob/calls', [{'cron': '* * * * *', **call}])
for path, value in [
    ('spool', 'rel'), ('spool', ''), ('spool', GONE), ('spool', '/a/../b/'), ('log', 'rel'), ('log', 'FD:3'), ('log', GONE),
    ('umask', '089'), ('umask', ''), ('umask', '0o22'), ('umask', '+22'), ('umask', '0_22'), ('umask', '200000'), ('umask', '177777'),
    ('umask', '0'), ('umask', '022'), ('neigh/self', GONE), ('neigh', GONE), ('neigh', {}), ('self', GONE), ('self', None), ('self', {}),
    ('neigh/bob', None), ('neigh/bob', {}),
    ('areas/news/id', ''), ('areas/news/id', 'nosuch'), ('areas/news/id', GONE), ('areas/news/id', 'MZXW6'), ('areas/news/pub', 'MZXW6'),
    ('areas/news/pub', ''), ('areas/news/pub', GONE), ('areas/news/prv', 'MZXW6'), ('areas/news/prv', GONE), ('areas/news/subs', ['nosuch']),
    ('areas/news/subs', [BOB['id'], 'carol', 'self']), ('areas/news/subs', ['A' * 52]), ('areas/news', None), ('notify', {'exec': {'a.b': None}}),
    ('mcd-listen', ['[']), ('mcd-send', {'.*': -1}),
]:
    row(path, value)
# On purpose.
row('areas/news/incoming', 'rel', ours='Incoming path must be absolute')
row('neigh/zed', BOB)
row('neigh/zed', {**BOB, 'incoming': '/other'}, ours='neigh.bob and neigh.zed have the same id')
row('areas/other', ALICE['areas']['news'])
row('areas/other', {**ALICE['areas']['news'], 'incoming': '/other'}, ours='areas.news and areas.other have the same id')
row('self/id', BOB['id'], ours='self.id is ' + BOB['id'] + ', but neigh.self.id is')
row('neigh/bob/calls', [{'cron': '* * * * *', 'nice': 'max+1'}], ours='too big niceness delta')
row('neigh/bob/calls', [{'cron': '9-5 * * * *'}], ours='no value in minute field')
row('neigh/bob/freq', {'minsize': 1 << 54}, ours='too big a size')
row('self/signprv', 'A' * 103, ours='private and public half do not belong together')

def reference(keys, value):
    config = copy.deepcopy(ALICE)
    under = config
    for key in keys[:-1]:
        under = under[key]
    if value is GONE:
        del under[keys[-1]]
    else:
        under[keys[-1]] = value
    with tempfile.NamedTemporaryFile('w', suffix='.hjson') as f:
        json.dump(config, f)
        f.flush()
        run = subprocess.run(['nncp-cfgmin', '-cfg', f.name], capture_output=True, text=True, env={'PATH': os.environ['PATH']})
    return run.stderr.strip().split('Error during initialization: ')[1] if run.returncode else None

out = []
for keys, value, ours in ROWS:
    given = {} if value is GONE else {'value': value}
    out.append({'at': keys, **given, 'error': reference(keys, value), **ours})
print('[\n' + ',\n'.join(json.dumps(row) for row in out) + '\n]')
