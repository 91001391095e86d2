//! Descriptors that whoever started this process left open for it, by their numbers.
//!
//! What was open is looked at before `main`: later, a number may belong to a file of our own, and
//! Rust's runtime has put `/dev/null` in the place of a closed standard input or output, where
//! results would go to nowhere without an error.

use rustix::io::{Errno, FdFlags, fcntl_getfd, fcntl_setfd};
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

/// A bit for each of the descriptors that were open at the start.
static OPEN: AtomicU64 = AtomicU64::new(0);
/// How many are looked at. Nobody passes on a higher one, and our own files stay below it.
const LOOKED_AT: u32 = u64::BITS;

// SAFETY: the C library calls what this section points to, once, before `main`; the function needs
// nothing that is set up later.
#[allow(unsafe_code)]
#[used]
#[unsafe(link_section = ".init_array")]
static AT_START: extern "C" fn() = look;

extern "C" fn look() {
    let open = (0..LOOKED_AT).filter(|number| is_open_now(*number));
    OPEN.store(open.fold(0, |bits, number| bits | 1 << number), Ordering::Relaxed);
}

#[allow(unsafe_code)]
fn is_open_now(number: u32) -> bool {
    let Ok(number) = i32::try_from(number) else { return false };
    // SAFETY: it is only asked whether it is open.
    fcntl_getfd(unsafe { BorrowedFd::borrow_raw(number) }).is_ok()
}

fn was_open(number: u32) -> bool {
    match number {
        0..LOOKED_AT => OPEN.load(Ordering::Relaxed) & 1 << number != 0,
        _ => is_open_now(number),
    }
}

/// Descriptor `number`, for as long as the process lives.
///
/// # Errors
/// It was not open when the process was started.
#[allow(unsafe_code)]
pub(crate) fn descriptor(number: u32) -> io::Result<BorrowedFd<'static>> {
    match i32::try_from(number) {
        // SAFETY: it was opened by whoever started this process, so nothing in here closes it, but
        // for a caller of [`take`], who is its only user.
        Ok(raw) if was_open(number) => Ok(unsafe { BorrowedFd::borrow_raw(raw) }),
        _ => Err(Errno::BADF.into()),
    }
}

/// Takes descriptor `number` over; programs that we start do not get it. To be called once for
/// each.
///
/// # Errors
/// It was not open when the process was started.
#[allow(unsafe_code)]
pub(crate) fn take(number: u32) -> io::Result<OwnedFd> {
    let fd = descriptor(number)?;
    fcntl_setfd(fd, fcntl_getfd(fd)? | FdFlags::CLOEXEC)?;
    // SAFETY: nothing else in this process uses descriptors by number, and each is taken once, so
    // nobody else closes it.
    Ok(unsafe { OwnedFd::from_raw_fd(std::os::fd::AsRawFd::as_raw_fd(&fd)) })
}

/// Writes all of `bytes`.
///
/// # Errors
/// Those of the descriptor.
pub(crate) fn write(fd: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(fd, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn what_was_opened_later_is_not_inherited() {
        let later = std::fs::File::open("/dev/null").unwrap();
        let number = u32::try_from(later.as_raw_fd()).unwrap();
        assert!(number < LOOKED_AT && is_open_now(number));
        assert_eq!(descriptor(number).unwrap_err().raw_os_error(), Some(9));
        assert!(take(number).is_err());
        assert!(descriptor(2).is_ok(), "the test's own standard error");
    }

    #[test]
    fn numbers_that_no_descriptor_has_are_refused() {
        for number in [1 << 20, u32::MAX] {
            assert!(descriptor(number).is_err() && take(number).is_err(), "{number}");
        }
    }
}
