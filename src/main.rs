//! The packmule binary.

fn main() {
    eprintln!("packmule: no command is there yet");
    std::process::exit(1);
}
