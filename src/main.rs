//! The packmule binary.

fn main() -> std::process::ExitCode {
    packmule::cli::main(std::env::args_os())
}
