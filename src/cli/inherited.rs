//! Descriptors that whoever started this process left open for it.

use std::os::fd::BorrowedFd;

/// Descriptor `number`, if it is open. To be asked for before anything is opened: later, a number
/// may belong to a file of our own.
#[allow(unsafe_code)]
pub fn descriptor(number: i32) -> Option<BorrowedFd<'static>> {
    let open = number >= 0 && std::fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_ok();
    // SAFETY: it is open, and was opened by whoever started this process, so nothing in this
    // process closes it.
    open.then(|| unsafe { BorrowedFd::borrow_raw(number) })
}

/// Writes all of `bytes`. Whoever gave us the descriptor may have stopped reading; that is theirs
/// to notice.
pub fn write(mut fd: Option<BorrowedFd<'_>>, mut bytes: &[u8]) {
    while let Some(open) = fd
        && !bytes.is_empty()
    {
        match rustix::io::write(open, bytes) {
            Ok(written) if written > 0 => bytes = &bytes[written..],
            Err(rustix::io::Errno::INTR) => {}
            _ => fd = None,
        }
    }
}
