#!/usr/bin/env python3
"""What the reference reads out of Hjson texts, tricky ones first: dialect.json.

Each text is dumped by `nncp-cfgdir -dump`, which checks types but not values, and the files it
writes are recorded: {"text": ..., "files": {path: content}} or {"text": ..., "refused": true}.
"ours" stands beside them where packmule differs on purpose; "why" says why.
Usage: make-dialect.py > dialect.json (needs nncp-cfgdir; made with 8.8.2)
"""
import json
import os
import subprocess
import sys
import tempfile

ROWS = [
    # Syntax: braces, quotes, comments, line ends.
    'spool: /a\nlog: /b\n',
    '{spool: /a\nlog: /b}\n',
    '{spool: /a\nlog: /b\n}\n',
    '{"spool": "/a", "log": "/b"}',
    'spool: /a b c  \t\nlog: /b\n',
    'spool: /a # x\nlog: /b // x\n',
    'spool: /a /* x */\nlog: /b\n',
    'spool: #foo\n /a\nlog: /b\n',
    'spool: //srv/a\nlog: /b\n',
    'spool: /* x */ /a\nlog: /b\n',
    '# c\nspool: /a\n// c\n/* c\n d */\nlog: /b\n# end',
    'spool: /a\r\nlog: /b\r\n',
    'spool: /a\rlog: /b\r',
    '# c\rspool: /a\nlog: /b\n',
    'spool: "/a\\u0041\\n\\t\\/\\\\\\b\\f\\r\\"\\\'"\nlog: /b\n',
    'spool: "\\ud83d\\ude00"\nlog: /b\n',
    'spool: "\\u00e9\\u00E9"\nlog: /b\n',
    'spool: "\\q"\nlog: /b\n',
    'spool: "\\u00g1"\nlog: /b\n',
    'spool: "\\u00',
    'spool: "a\nb"\nlog: /b\n',
    'spool: "a\rb"\nlog: /b\n',
    'spool: "a\x01b"\nlog: /b\n',
    "spool: '/a\\'b\"c'\nlog: /b\n",
    "spool: \"/a'b\"\nlog: /b\n",
    "spool: ''\nlog: \"\"\n",
    "spool: '' '\nlog: /b\n",
    'spool: "/a", log: "/b"\n',
    'spool: "/a" log: "/b"\n',
    'spool: "/a" junk\nlog: /b\n',
    "spool: '''/a'''\nlog: /b\n",
    "spool: '''/a'b''c'''\nlog: /b\n",
    "spool: '''/a''''\nlog: /b\n",
    "spool: '''\n  /a\n    b\n  '''\nlog: /b\n",
    "  spool:\n    '''\n    /a\n      b\n   c\n\n    d\n    '''\n  log: /b\n",
    "spool: '''  \n       /a\n\tb\n       '''\nlog: /b\n",
    "spool: '''first\n       /a\n       '''\nlog: /b\n",
    "spool: '''\r\n       /a\r\n       b\r\n       '''\r\nlog: /b\r\n",
    "spool: ''''''\nlog: /b\n",
    "spool: '''\n'''\nlog: /b\n",
    "spool: '''\n\n'''\nlog: /b\n",
    "spool: '''\\n'''\nlog: /b\n",
    "spool: '''a\n",
    'spool: /a\nlog: /b\n/* never closed',
    '[]', '"text"', '5', 'text', 'null',
    'spool: [', 'spool: {', 'spool: [a', '{', 'spool: "a', "spool: 'a", '{spool: /a\n', 'spool',
    'spool:\n  /a\nlog\n:\n/b\n',
    'spool \t: \t/a\nlog: /b\n',
    'spool:/a\nlog:/b\n',
    'sp ool: x\n',
    'spool # c\n: /a\n',
    '"spool": /a\n\'log\': /b\n',
    "'''spool''': /a\nlog: /b\n",
    '"": x\nspool: /a\nlog: /b\n',
    ': x\n',
    'yggdrasil-aliases: {\n em[0-3]: "x"\n}\n',
    'yggdrasil-aliases: {\n a,b: "x"\n}\n',
    'yggdrasil-aliases: {\n *.handle: x\n .*: y\n a-b: z\n a#b: p\n a"b: q\n}\n',
    'yggdrasil-aliases: {\n #a: x\n b: y\n}\n',
    'mcd-send: {.*: 10, em[0-3]: 5}\n',
    'mcd-send: {.*: 10\n "em[0-3]": 5}\n',
    'mcd-listen: ["a", "b",]\n',
    'mcd-listen: [\n a\n b\n]\n',
    'mcd-listen: ["a" "b"]\n',
    'mcd-listen: ["a" # c\n // d\n "b" /* e */]\n',
    'mcd-listen: [a, b]\n',
    'mcd-listen: [/usr/sbin/sendmail, "-t"]\n',
    'mcd-listen: ["/usr/sbin/sendmail", "-t"]\n',
    'mcd-listen: [\n a,\n b\n]\n',
    'mcd-listen: [,"a"]\n', 'mcd-listen: ["a",,"b"]\n', 'yggdrasil-aliases: {,"a":"1"}\n',
    'yggdrasil-aliases: {"a":"1",,"b":"2"}\n', 'yggdrasil-aliases: {"a":"1","b":"2",}\n',
    'mcd-listen: ["a"]]\n', 'yggdrasil-aliases: {"a": "b"}}\n', '{}x', '{} # x', '{}\n/* x', '{}{}', '{}\nspool: /a\n',
    'spool: /a\nspool: /b\n',
    'yggdrasil-aliases: {a: "1"}\nyggdrasil-aliases: {b: "2"}\n',
    'noprogress: true\n', 'noprogress: true \n', 'noprogress: true, nohdr: true\n', 'noprogress: false\n',
    'noprogress: true # c\n', 'noprogress: true#c\n', 'noprogress: true// c\n', 'noprogress: true/* c */\n', 'noprogress: null\n',
    'noprogress: True\n', 'noprogress: true x\n', 'noprogress: "true"\n', 'noprogress: 1\n', 'noprogress: true/x\n',
    'noprogress: true}\n', '{noprogress: true}', '{x: null}', 'spool: true x\n', 'spool: nullx\n', 'spool: null\n', 'spool: true\n',
] + [f'mcd-send: {{\n a: {n}\n}}\n' for n in [
    '10', '10.', '-10', '10.0', '1e2', '1E2', '-0', '10 # c', '10 ,', '10,', '10//c', '10/**/', '10/', '1e+2', '100e-2', '1.5', '0', '0.0',
    '-', '--1', '010', '+10', '0x10', '.5', '1_000', '10x', '1e', '1e+', '00', '-01', '9007199254740992', '1e15',
    '99999999999999999999', '1e999', '10 20', '1.e2', '-10', '"10"',
]] + [
    'spool: 010\nlog: +10\n', 'spool: 0x10\nlog: .5\n', 'spool: 1_000\nlog: 10x\n', 'spool: -\nlog: 1e\n', 'spool: 10 20\n',
    'spool: 1.2.3.4\nlog: 1-2\n', 'spool: 10\n', 'spool: 1e999\n', 'spool: -.5\n', 'spool: 10]\n', 'spool: 1:2\n',
    'umask: 022\n', 'umask: 077 # x\n', 'umask: 22\n', 'umask: "22"\n', 'umask: 0\n', 'umask: "0"\n',
    'yggdrasil-aliases: {\n a: [fe80::1]:5400\n}\n', 'yggdrasil-aliases: {\n a: "[fe80::1]:5400"\n}\n',
    'yggdrasil-aliases: {\n a: |ssh host cmd\n}\n', 'yggdrasil-aliases: {\n a: b:c,d]e}f\n}\n',
    'spool: }\n', 'spool: ]\n', 'spool: ,\n', 'spool: :\n', 'spool: :x\n', 'spool: @x\n', 'spool: ^\nlog: %\n',
    'spool: a:b\nlog: a"b\n', 'spool: a\'\'\'b\n', 'spool: /\nlog: /x/\n', 'spool: \u00e9\u00a0\nlog: \u2003x\u2003\n',
    'spool: /a\x0b\x0c\nlog: /b\x01\n',
    # What may stand around a number or word.
    'mcd-send: {\n a: \u00a010\n}\n', 'mcd-send: {\n a: 10\u00a0\n}\n', 'mcd-send: {\n a: 10\u2003, b: 3\n}\n',
    'mcd-send: {\n a: \x0110\x01\n}\n', 'mcd-send: {\n a: 10\x0b, b: 3\n}\n', 'spool: \u00a010\nlog: 10\u00a0\n',
    'noprogress: \u00a0true\n', 'noprogress: true\u00a0\n', 'noprogress: true\u2003# x\n', 'noprogress: true\u0085\n',
    'noprogress: true\u200b\n', 'noprogress: \x0btrue\x0b\n', 'noprogress: true\x01\n',
    # Keys and values: unknown, repeated, in other cases, null.
    '', ' \n', 'unknown: {a: [1, 2]}\n', 'SPOOL: /a\nLog: /b\n', 'SPOOL: /up\nspool: /low\nSpool: /mid\n', 'SPOOL: /up\nspool: null\n',
    'mcd-listen: [null]\n', 'mcd-listen: [\n "a"\n null\n]\n', 'mcd-send: {a: null}\n', 'yggdrasil-aliases: {a: null}\n',
    'mcd-listen: null\nmcd-send: null\nself: null\nneigh: null\nareas: null\nnotify: null\n',
    'mcd-listen: "a"\n', 'mcd-listen: [5]\n', 'mcd-listen: [["a"]]\n', 'mcd-listen: {}\n', 'mcd-send: []\n', 'mcd-send: "x"\n',
    'mcd-send: {a: 1.5}\n', 'mcd-send: {a: true}\n', 'noprogress: 0\n', 'spool: {}\n', 'spool: []\n', 'neigh: []\n', 'neigh: {a: []}\n',
    'neigh: {a: null}\n', 'neigh: {a: {rxrate: -5, txrate: 0, onlinedeadline: 0}}\n', 'neigh: {a: {onlinedeadline: -1}}\n',
    'neigh: {a: {rxrate: "5"}}\n', 'neigh: {a: {rxrate: 5.0, txrate: 1e3}}\n', 'neigh: {a: {exec: {h: "x"}}}\n',
    'neigh: {a: {exec: {h: ["x", "", "y z", ""]}}}\n', 'neigh: {a: {exec: {}}}\n', 'neigh: {a: {freq: {}}}\n', 'neigh: {a: {FREQ: {Path: "x"}}}\n',
    'neigh: {a: {freq: {chunked: 0, minsize: 0, maxsize: 0, path: ""}}}\n', 'neigh: {a: {freq: {chunked: -1}}}\n',
    'neigh: {a: {via: [], addrs: {}, calls: []}}\n', 'neigh: {a: {via: ["x", "y"], addrs: {l: "m"}, incoming: "", noisepub: ""}}\n',
    'neigh: {a: {calls: [{}, null, {cron: "x", nock: true, autotoss: false, nice: "", xx: "rx", rxrate: 0, addr: "", onlinedeadline: 1}]}}\n',
    'neigh: {a: {calls: {}}}\n', 'neigh: {a: {calls: [5]}}\n', 'neigh: {a: {id: 5}}\n', 'neigh: {"a b": {id: "x"}}\n',
    'NEIGH: {a: {id: "x"}}\nneigh: {b: {id: "y"}}\n', 'NEIGH: {a: {id: "x"}}\nneigh: {a: {exchpub: "y"}}\n',
    'self: {}\n', 'self: {ID: "x", exchprv: "y"}\n',
    'areas: {a: {id: "x", pub: "y", subs: [], incoming: "z", allow-unknown: false, exec: {h: ["c"]}}, b: {prv: "x", allow-unknown: true, subs: ["x", "y"]}}\n',
    'areas: {a: null}\n', 'areas: {a: {allow-unknown: 1}}\n',
    'notify: {file: {from: "a"}, freq: {}, exec: {"*.x": {from: "a", to: "b"}}}\n', 'notify: {exec: {a: 5}}\n',
]
# On purpose: text, what packmule makes of it, why.
OURS = [
    ('\ufeffspool: /a\nlog: /b\n', {'spool': '/a\n', 'log': '/b\n'}, 'a byte-order mark is skipped'),
    ('spool: /a\nlog: /b\n\0junk', None, 'a NUL byte is refused, not taken for the end'),
    ('spool:', None, 'the end is not a value'),
    ('spool:\n', None, 'the end is not a value'),
    ('mcd-send: {\n a: 9007199254740993\n}\n', {'spool': '\n', 'log': '\n', 'mcd-send/a': '9007199254740993\n'}, 'integers are exact'),
    ('neigh: {a: {ack: {minsize: 5, nice: "N"}}}\n',
     {'spool': '\n', 'log': '\n', 'neigh/a/id': '\n', 'neigh/a/exchpub': '\n', 'neigh/a/signpub': '\n',
      'neigh/a/ack/minsize': '5\n', 'neigh/a/ack/nice': 'N\n'}, '8.8.2 knows no ack section'),
    ('neigh: {a: {ack: 5}}\n', None, '8.8.2 knows no ack section'),
    ('neigh: {a: {exec: {h: []}}}\n', {'spool': '\n', 'log': '\n', 'neigh/a/id': '\n', 'neigh/a/exchpub': '\n', 'neigh/a/signpub': '\n'},
     'an empty list would come back as one empty word'),
    ('neigh: {a: {exec: {h: ["x\\ny"]}}}\n', None, 'a line break would come back as two words'),
    ('neigh: {"../x": {id: "y"}}\n', None, 'no writing outside of the directory'),
    ('x: ' + '[' * 100 + ']' * 100 + '\n', None, 'nesting has a limit'),
]

def reference(text):
    with tempfile.TemporaryDirectory() as top:
        path, out = os.path.join(top, 'in'), os.path.join(top, 'a', 'b', 'out')
        os.makedirs(os.path.dirname(out))
        with open(path, 'wb') as f:
            f.write(text.encode())
        run = subprocess.run(['nncp-cfgdir', '-cfg', path, '-dump', out], capture_output=True)
        if run.returncode:
            return {'refused': True}
        files = {}
        for folder, _, names in os.walk(out):
            for name in names:
                with open(os.path.join(folder, name), 'rb') as f:
                    files[os.path.relpath(os.path.join(folder, name), out)] = f.read().decode()
        return {'files': dict(sorted(files.items()))}

rows = [{'text': text, **reference(text)} for text in ROWS]
for text, ours, why in OURS:
    rows.append({'text': text, **reference(text), 'ours': ours, 'why': why})
json.dump(rows, sys.stdout, indent=1, ensure_ascii=True)
print()
