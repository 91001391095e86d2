//! The packmule binary.

fn main() -> std::process::ExitCode {
    packmule::internal::main(std::env::args_os())
}
