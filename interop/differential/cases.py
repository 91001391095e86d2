"""The commands that are compared: one line each, as typed. `{word}` is a name from the state.

`KEY=VALUE` words in front of the command set the environment, `<FILE` its standard input (`<=TEXT`: the text),
`4>FILE` opens descriptor 4, `tty=TEXT` types TEXT on a terminal at each passphrase prompt, `stop=SECONDS`
ends a command that runs for ever.
"""

COMMON = """
-version
-warranty
-help
-h
-bogus
-cfg
-quiet=maybe
"""

SENDER = """
file f bob:
file f bob:name
file f bob:dir/name
file f bob:a//b/./c/../d/
file f bob:../up
file f bob:..
file f bob:/absolute
file f bob:with:colon
file f bob:.hidden
file f {bob}:by-id
file f self:me
file f nosuch:x
file f BOB:x
file f bob
file f
file
file f bob:a extra
file empty bob:
file big bob:
file utf8-ä\\ ö bob:
file link bob:
file fifo bob:
file /dev/null bob:
file tree bob:
file tree bob:name
file tree/ bob:
file . bob:
file missing bob:
file f bob:{long}
file f bob:{too_long}
<f file - bob:x
<f file - bob:
<f file -- - bob:x
<=hello file - bob:x
file -nice F f bob:
file -nice P+3 f bob:
file -nice max f bob:
file -nice 7 f bob:
file --nice=bulk+1 f bob:
file -nice 0 f bob:
file -nice 256 f bob:
file -nice F+33 f bob:
file -nice max+1 f bob:
file -nice nonsense f bob:
file -nice \\  f bob:
file -minsize 10 f bob:
file -minsize 0 f bob:
file -minsize -1 f bob:
file -minsize 200 big bob:
file -minsize 400 big bob:
file -minsize 0x10 f bob:
file -minsize 1_0 f bob:
file -minsize abc f bob:
file -minsize 10 tree bob:
<f file -minsize 10 - bob:x
file -maxsize 1 f bob:
file -maxsize 2 f bob:
file -maxsize 100 big bob:
file -maxsize 0 f bob:
file -maxsize -1 f bob:
file -maxsize 1 -minsize 10 f bob:
<f file -maxsize 1 - bob:x
<f file -maxsize 2 - bob:x
<big file -maxsize 100 - bob:x
file -chunked 1 f bob:
file -chunked 100 big bob:
file -chunked 100 exact bob:
<exact file -chunked 100 - bob:x
file -chunked 100 empty bob:
file -chunked 0 big bob:
file -chunked -5 big bob:
file -chunked 1 tree bob:
file -chunked 100 -minsize 200 big bob:
file -chunked 100 -maxsize 50 big bob:
file -chunked abc big bob:
file -via carol f bob:
file -via carol,erin f bob:
file -via - f dave:
file f dave:
file -minsize 10 f dave:
file -via '' f dave:
file -via nosuch f bob:
file -via bob f bob:
file -quiet f bob:
file -quiet=false f bob:
file -quiet true f bob:
file -debug f bob:
file -progress f bob:
file -noprogress f bob:
file -progress -noprogress f bob:
file -spool other f bob:
file -log other f bob:
file -log FD:4 f bob: 4>fd
file -log FD:x f bob:
file -cfg nosuch f bob:
NNCPCFG= file -cfg nosuch f bob:
NNCPCFG= file -cfg nncp.hjson f bob:
NNCPCFG=nosuch file f bob:
NNCPSPOOL=elsewhere file f bob:
NNCPLOG=elsewhere file f bob:
NNCPLOG=FD:4 file f bob: 4>fd
NNCPDEADLINE=abc file f bob:
NNCPDEADLINE=abc file -version
file f area:news:x
file f area:news:
file f area:news
file f area:nosuch:x
file f area:keyless:x
file -minsize 10 f area:news:x
file tree area:news:
<f file - area:news:x
file -chunked 1 f area:news:x
<=body exec bob append
<=body exec bob append a b
<=body exec bob append '' ''
<=body exec -- bob append -a
<=body exec bob {long}
<=body exec bob {too_long}
<=body exec bob
<=body exec
<=body exec nosuch append
exec bob append
exec -nocompress bob append
<f exec -nocompress bob append a
<big exec -nocompress bob append
<big exec bob append
<=body exec -nice F bob append
<=body exec -nice nonsense bob append
<=body exec -replynice F+1 bob append
<=body exec -replynice nonsense bob append
<=body exec -minsize 10 bob append
<=body exec -minsize -1 bob append
<=body exec -nocompress -minsize 200 bob append
<f exec -nocompress -maxsize 1 bob append
<f exec -nocompress -maxsize 2 bob append
<=body exec -via carol bob append
<=body exec -via - dave append
<=body exec -via nosuch bob append
<=body exec dave append
<=body exec area:news append x
<=body exec area:nosuch append x
<=body exec -quiet bob append
<=body exec -debug bob append
<=body exec -progress bob append
<=body exec -noprogress bob append
<=body exec -spool other bob append
<=body exec -log other bob append
NNCPCFG= <=body exec -cfg nncp.hjson bob append
freq bob:src
freq bob:src dst
freq bob:a/b/../c d//e
freq bob: dst
freq bob:
freq bob:/absolute
freq bob:src /absolute
freq bob:../up ../too
freq bob:src dst extra
freq bob
freq
freq nosuch:src
freq dave:src
freq bob:{too_long}
freq -nice F bob:src
freq -nice nonsense bob:src
freq -replynice F+1 bob:src
freq -replynice nonsense bob:src
freq -minsize 10 bob:src
freq -minsize -1 bob:src
freq -via carol bob:src
freq -via nosuch bob:src
freq -quiet bob:src
freq -debug bob:src
freq -progress bob:src
freq -noprogress bob:src
freq -spool other bob:src
freq -log other bob:src
NNCPCFG= freq -cfg nncp.hjson bob:src
hash
<f hash
<empty hash
<big hash
hash -file f
hash -file big
hash -file empty
hash -file missing
hash -file tree
hash -file big -seek 1
hash -file big -seek 131072
hash -file big -seek 131073
hash -file big -seek 999999
hash -seek 1
hash -seek 0 -file f
hash -seek -1 -file f
hash -force-fat -file big
hash -force-fat -seek 5 -file big
hash -debug -file big
hash -debug -file f
hash -debug -file big -seek 131072
hash -debug -force-fat -file big
hash -progress -file big
<big hash -progress
hash f
"""

MAIL = """
toss
toss -node bob
toss -node carol
toss -node self
toss -node nosuch
toss -nice F
toss -nice N
toss -nice nonsense
toss -dryrun
toss -seen
toss -nofile
toss -nofreq
toss -noexec
toss -notrns
toss -noarea
toss -noack
toss -nofile -nofreq -noexec -notrns -noarea -noack
toss -quiet
toss -debug
toss -progress
toss -noprogress
toss -spool other
toss -log other
toss extra
stop=2 toss -cycle 1
stop=2 toss -cycle 1 -node bob -seen
toss -cycle abc
NNCPCFG= toss -cfg nncp.hjson
ack
ack -all
ack -node bob
ack -node bob,carol
ack -node nosuch
ack -all -node bob
ack -node bob 4>fd
ack -all 4>fd
ack -node bob -nice F
ack -node bob -nice nonsense
ack -node bob -minsize 10
ack -node bob -minsize abc
ack -node bob -via carol
ack -node bob -pkt {tx_file}
ack -node bob -pkt {tx_file} 4>fd
ack -node bob -pkt {tx_file} -via carol
ack -node bob -pkt {tx_file} -via nosuch
ack -node bob,carol -pkt {tx_file}
ack -pkt {tx_file}
ack -node bob -pkt MZXW6
ack -node bob -pkt not-base32
ack -node bob -quiet
ack -node bob -debug
ack -node bob -progress
ack -node bob -noprogress
ack -node bob -spool other
ack -node bob -log other
NNCPCFG= ack -cfg nncp.hjson -node bob
trns -via carol bob:{tx_file}
trns -via carol,erin bob:{tx_large}
trns -via carol -nice F bob:{tx_file}
trns -via carol -nice nonsense bob:{tx_file}
trns -via carol {spool}/{bob}/tx/{tx_file}
trns -via - bob:{tx_file}
trns bob:{tx_file}
trns -via nosuch bob:{tx_file}
trns -via carol bob:nosuch
trns -via carol bob:a:b
trns -via carol nosuch:{tx_file}
trns -via carol nncp.hjson
trns -via carol missing
trns -via carol
trns -via carol bob:{tx_file} extra
trns -via carol -quiet bob:{tx_file}
trns -via carol -debug bob:{tx_file}
trns -via carol -progress bob:{tx_file}
trns -via carol -noprogress bob:{tx_file}
trns -via carol -log other bob:{tx_file}
trns -via carol -spool other bob:{tx_file}
NNCPCFG= trns -cfg nncp.hjson -via carol bob:{tx_file}
<{spool}/{bob}/tx/{tx_file} pkt
<{spool}/{bob}/tx/{tx_exec} pkt
<{spool}/{bob}/tx/{tx_large} pkt
<{spool}/{carol}/tx/{tx_trns} pkt
<{spool}/{bob}/tx/{tx_file} pkt -dump
<{rx:file} pkt
<{rx:file} pkt -dump
<{rx:file} pkt -decompress -dump
<nncp.hjson pkt
<nncp.hjson pkt -dump
pkt
pkt -dump
pkt -overheads
NNCPCFG= pkt -cfg nncp.hjson -overheads
NNCPCFG= pkt -cfg nosuch -overheads
stat
stat -pkt
stat -node bob
stat -node bob -pkt
stat -node nosuch
stat -node self
stat extra
stat -debug
stat -spool other
NNCPCFG= stat -cfg nncp.hjson
NNCPSPOOL=other stat
check
check -node bob
check -node nosuch
check -debug
check -quiet
check -progress
check -noprogress
check -spool other
check -log other
check -nock
stop=0.7 check -cycle 1
check -cycle abc
NNCPCFG= check -cfg nncp.hjson
rm
rm -all
rm -node bob
rm -all -rx
rm -all -tx
rm -all -rx -tx
rm -node bob -tx
rm -node nosuch -tx
rm -node bob -tx -hdr
rm -all -rx -hdr
rm -all -hdr
rm -all -seen
rm -all -part
rm -all -nock
rm -all -area
rm -tx
rm -all -dryrun -tx
rm -all -tx -older 1d
rm -all -tx -older 99999d
rm -all -tx -older 5s
rm -all -tx -older 5m
rm -all -tx -older 5h
rm -all -tx -older nonsense
rm -all -tx -older 5
rm -all -tx -quiet
rm -all -tx -debug
<=bob/{tx_file}\\n{tx_exec} rm -node bob -pkt
<={tx_file} rm -all -pkt
<={tx_file} rm -node carol -pkt
<={tx_file} rm -pkt
<={tx_file} rm -all -pkt -dryrun
<=nosuch rm -all -pkt
rm -all -pkt
rm -tmp
rm -lock
rm -spool other -all -tx
NNCPCFG= rm -cfg nncp.hjson -all -tx
"""

BAD_MAIL = """
toss
toss -node bob
toss -node carol
toss -dryrun
toss -seen
toss -quiet
toss -nice F
toss -noexec
stop=3 ack -node bob
check
stat -pkt
"""

CLUTTER = """
stat
stat -pkt
stat -node bob -pkt
check
check -nock
check -nock -node bob
check -nock -node carol
toss
rm -all -part
rm -all -seen
rm -all -nock
rm -all -area
rm -all -part -seen -nock
rm -node bob -rx
rm -node carol -rx
rm -node bob -rx -part
rm -node bob -rx -hdr
rm -tmp
rm -tmp -dryrun
rm -tmp -older 1d
rm -tmp -older 99999d
rm -lock
rm -lock -dryrun
rm -all -part -older 99999d
rm -all -seen -dryrun
<={part}.part rm -node bob -pkt
<={nock}.nock rm -node bob -pkt
<={part} rm -node bob -pkt
<={odd} rm -node bob -pkt
stop=0.7 check -nock -cycle 1
"""

STICK = """
xfer ../stick
xfer -rx ../stick
xfer -tx ../stick
xfer -rx -tx ../stick
xfer -keep ../stick
xfer -rx -keep ../stick
xfer -tx -keep ../stick
xfer -mkdir ../stick
xfer -tx -mkdir ../stick
xfer -node bob ../stick
xfer -node carol ../stick
xfer -node bob -rx ../stick
xfer -node bob -tx ../stick
xfer -node nosuch ../stick
xfer -nice F ../stick
xfer -nice N -rx ../stick
xfer -nice nonsense ../stick
xfer -quiet ../stick
xfer -debug ../stick
xfer -progress ../stick
xfer -noprogress ../stick
xfer -log other ../stick
xfer -spool other ../stick
xfer ../nosuch
xfer -mkdir ../nosuch
xfer
xfer ../stick extra
NNCPCFG= xfer -cfg nncp.hjson ../stick
"""

BAD_STICK = """
xfer ../stick
xfer -rx -keep ../stick
xfer -quiet ../stick
xfer -tx ../stick
"""

STREAMS = """
bundle -tx bob
bundle -tx bob carol
bundle -tx bob bob
bundle -tx
bundle -tx nosuch
bundle -tx -delete bob
bundle -tx -nice P bob
bundle -tx -nice nonsense bob
bundle -tx -quiet bob
bundle -tx -debug bob
bundle -tx -progress bob
bundle -tx -noprogress bob
bundle -tx -log other bob
bundle -tx -spool other bob
bundle -tx -dryrun bob
bundle bob
bundle -rx -tx bob
<good.bundle bundle -rx
<good.bundle bundle -rx bob
<good.bundle bundle -rx carol
<good.bundle bundle -rx nosuch
<good.bundle bundle -rx -check
<good.bundle bundle -rx -dryrun
<good.bundle bundle -rx -check -dryrun
<good.bundle bundle -rx -nice P
<good.bundle bundle -rx -quiet
<good.bundle bundle -rx -debug
<good.bundle bundle -rx -delete
<good.bundle bundle -rx -check -delete
<good.bundle bundle -rx -delete -dryrun
<good.bundle bundle -rx -delete carol
<altered.bundle bundle -rx
<altered.bundle bundle -rx -check
<cut.bundle bundle -rx
<cut.bundle bundle -rx -check
<noise.bundle bundle -rx
<noise.bundle bundle -rx -check
<noise.bundle bundle -rx -check bob
<nothing.bundle bundle -rx
<garbage.bundle bundle -rx -check
<own.bundle bundle -rx
<own.bundle bundle -rx -delete
<own.bundle bundle -rx -delete -dryrun
<own.bundle bundle -rx -delete bob
<own.bundle bundle -rx -delete carol
<own-altered.bundle bundle -rx -delete
NNCPCFG= <good.bundle bundle -cfg nncp.hjson -rx
"""

CHUNKS = """
reass incoming/whole.nncp.meta
reass incoming/taken.nncp.meta
reass incoming/none.nncp.meta
reass incoming/missing.nncp.meta
reass incoming/short.nncp.meta
reass incoming/altered.nncp.meta
reass incoming/bad-meta.nncp.meta
reass incoming/misnamed.meta
reass incoming/absent.nncp.meta
reass -keep incoming/whole.nncp.meta
reass -dryrun incoming/whole.nncp.meta
reass -dryrun incoming/missing.nncp.meta
reass -dump incoming/whole.nncp.meta
reass -dump incoming/none.nncp.meta
reass -dump incoming/bad-meta.nncp.meta
reass -stdout incoming/whole.nncp.meta
reass -stdout -keep incoming/whole.nncp.meta
reass -stdout incoming/missing.nncp.meta
reass -stdout -dryrun incoming/whole.nncp.meta
reass -quiet incoming/whole.nncp.meta
reass -debug incoming/whole.nncp.meta
reass -progress incoming/whole.nncp.meta
reass -noprogress incoming/whole.nncp.meta
reass -log other incoming/whole.nncp.meta
reass -spool other incoming/whole.nncp.meta
reass -all
reass -all -keep
reass -all -dryrun
reass -node alice
reass -node carol
reass -node nosuch
reass -node alice -all
reass
reass -all incoming/whole.nncp.meta
reass incoming/sub/deep.nncp.meta
NNCPCFG= reass -cfg nncp.hjson incoming/whole.nncp.meta
"""

CONFIGURATIONS = """
cfgmin
NNCPCFG= cfgmin -cfg nncp.hjson
NNCPCFG= cfgmin -cfg config.d
NNCPCFG= cfgmin -cfg min.hjson
NNCPCFG= cfgmin -cfg broken.hjson
NNCPCFG= cfgmin -cfg relative.hjson
NNCPCFG= cfgmin -cfg short
NNCPCFG= cfgmin -cfg nosuch
NNCPCFG= cfgmin -cfg lacking.d
NNCPSPOOL=/over cfgmin
NNCPLOG=/over cfgmin
cfgmin extra
cfgnew
cfgnew -nocomments
cfgnew -area some
cfgnew -area some -nocomments
cfgnew -yggdrasil
cfgnew extra
cfgdir
cfgdir -dump new.d
cfgdir -cfg nncp.hjson -dump new.d
cfgdir -cfg config.d -dump new.d
cfgdir -cfg nosuch -dump new.d
cfgdir -cfg nncp.hjson -dump config.d
cfgdir -load config.d
cfgdir -load lacking.d
cfgdir -load nosuch
cfgdir -load nncp.hjson
cfgdir config.d
cfgdir -cfg nncp.hjson -dump new.d extra
cfgenc
cfgenc -dump s5-t2-p2-3.eblob
cfgenc -d -dump s5-t2-p2-3.eblob
cfgenc -dump refused-obsolete-2.eblob
cfgenc -dump refused-magic.eblob
cfgenc -dump refused-fill-missing.eblob
cfgenc -dump nncp.hjson
cfgenc -dump missing
cfgenc nncp.hjson
cfgenc -d s5-t2-p2-3.eblob
tty=pass cfgenc -d s5-t2-p2-3.eblob
tty=wrong cfgenc -d s5-t2-p2-3.eblob
tty=pass cfgenc -d nncp.hjson
tty=pass cfgenc -d refused-obsolete-2.eblob
tty=pass cfgenc -s 1 -t 1 -p 1 short
tty=a,b cfgenc -s 1 -t 1 -p 1 short
tty=pass cfgenc missing
cfgenc -s abc short
cfgenc -t abc short
cfgenc -p abc short
tty=pass NNCPCFG= cfgmin -cfg s5-t2-p2-3.eblob
NNCPCFG= cfgmin -cfg s5-t2-p2-3.eblob
NNCPCFG=min.hjson stat
NNCPCFG=min.hjson <=x file - bob:x
NNCPCFG=config.d <=x file - bob:x
NNCPCFG=config.d stat
NNCPCFG=broken.hjson stat
cronexpr
cronexpr -num 2 '*/15 * * * *'
cronexpr -num 3 30 0 3 '*' '*' '*'
cronexpr -num 3 '30 0 3 * * * *'
cronexpr -num 3 '0 0 L * *'
cronexpr -num 3 '0 0 LW * *'
cronexpr -num 3 '0 0 1W * *'
cronexpr -num 3 '0 0 15W * *'
cronexpr -num 3 '0 0 * * 5#2'
cronexpr -num 3 '0 0 * * 5L'
cronexpr -num 3 '0 0 13 * 5'
cronexpr -num 3 '0 0 29 2 *'
cronexpr -num 3 '0 0 30 2 *'
cronexpr -num 3 '0 12 * jan-mar mon,WED'
cronexpr -num 3 '0 12 * * fri-mon'
cronexpr -num 3 '0 12 * * 6-7'
cronexpr -num 3 '0 12 * * 0'
cronexpr -num 3 '0 12 * * 7'
cronexpr -num 3 '0 12 * January Sunday'
cronexpr -num 3 '5/20 3 * * *'
cronexpr -num 3 '10-40/15 3 * * *'
cronexpr -num 3 '? 3 ? * ?'
cronexpr -num 3 '0 0 1 1 * 2030'
cronexpr -num 3 '0 0 1 1 * 1999'
cronexpr -num 3 '0 0 0 1 1 * 2030-2040/5 extra'
cronexpr -num 3 @yearly
cronexpr -num 3 @annually
cronexpr -num 3 @monthly
cronexpr -num 3 @weekly
cronexpr -num 3 @daily
cronexpr -num 3 @hourly
cronexpr -num 3 @midnight
cronexpr -num 3 @reboot
cronexpr '61 * * * *'
cronexpr '* 24 * * *'
cronexpr '* * 0 * *'
cronexpr '* * * 13 *'
cronexpr '* * * * 8'
cronexpr '* * *'
cronexpr '*/0 * * * *'
cronexpr 'a * * * *'
cronexpr -num 0 @daily
cronexpr -num abc @daily
cronexpr -num 2 @daily extra
"""

LOGS = """
log
log -debug
log -log none
log -log broken
log -log missing
log -log log
NNCPLOG=none log
NNCPCFG= log -cfg nncp.hjson
NNCPCFG= log -cfg nosuch
log extra
"""

OFFLINE = (
    "ack bundle cfgdir cfgenc cfgmin cfgnew check cronexpr exec file freq hash log pkt reass rm stat toss trns xfer"
).split()


def lines(text: str) -> list[str]:
    return [line for line in text.strip().splitlines() if line.strip()]


CASES: dict[str, list[str]] = {
    "sender": lines(SENDER) + [f"{name} {flag}" for name in OFFLINE for flag in lines(COMMON)],
    "mail": lines(MAIL),
    "bad-mail": lines(BAD_MAIL),
    "clutter": lines(CLUTTER),
    "stick": lines(STICK),
    "bad-stick": lines(BAD_STICK),
    "streams": lines(STREAMS),
    "chunks": lines(CHUNKS),
    "configurations": lines(CONFIGURATIONS),
    "logs": lines(LOGS),
}
