//! The texts of `-version` and `-warranty`.

/// The release of the reference whose formats and commands packmule implements.
const SPEAKS: &str = "8.11.0";

/// The line of `-version`. Scripts match its beginning, `NNCP version `.
pub(crate) fn line() -> String {
    format!("NNCP version {SPEAKS} built with packmule {}\n", env!("CARGO_PKG_VERSION"))
}

/// The licence and the disclaimer of warranty.
pub(crate) const WARRANTY: &str = "\
packmule is free software under your choice of the MIT license or the Apache
License, Version 2.0: you may use, copy, change and pass it on.

It is provided \"as is\", without warranty of any kind, express or implied,
including but not limited to the warranties of merchantability, fitness for a
particular purpose and noninfringement. In no event shall its authors be liable
for any claim, damages or other liability arising from it or its use.
";

/// The text of `packmule -version`.
pub(crate) fn own_line() -> String {
    format!("packmule {}\n", env!("CARGO_PKG_VERSION"))
}
