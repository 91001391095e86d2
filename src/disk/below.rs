//! Names that stay below a directory, of received and of requested files.

/// A name that cannot leave the directory in which it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Below {
    /// The directories above it.
    pub(crate) parents: Vec<Vec<u8>>,
    /// Its last component.
    pub(crate) name: Vec<u8>,
}

/// Why a name is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It begins with `/`.
    #[error("absolute path")]
    Absolute,
    /// It has a `..` component, or only `.` components: it is the directory itself, or outside.
    #[error("path traversal")]
    Traversal,
    /// It holds a NUL.
    #[error("path with a NUL byte")]
    Nul,
}

impl Below {
    /// Checks a path from a packet. Ignores empty and `.` components.
    ///
    /// # Errors
    /// The path would leave the directory.
    pub(crate) fn new(path: &[u8]) -> Result<Self, PathError> {
        if path.first() == Some(&b'/') {
            return Err(PathError::Absolute);
        }
        if path.contains(&0) {
            return Err(PathError::Nul);
        }
        let mut parents: Vec<Vec<u8>> = path
            .split(|byte| *byte == b'/')
            .filter(|component| !matches!(*component, b"" | b"."))
            .map(<[u8]>::to_vec)
            .collect();
        if parents.iter().any(|component| component == b"..") {
            return Err(PathError::Traversal);
        }
        let name = parents.pop().ok_or(PathError::Traversal)?;
        Ok(Self { parents, name })
    }
}

/// True if a file can have this name.
pub(crate) fn is_file_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}
