//! Whether something started this program as one of several processes, and as which: what `mpirun` and `srun` write
//! into the environment. Known before MPI is, and without it.

use std::env;

/// One of several processes that were started together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Launch {
    /// What started them.
    pub by: &'static str,
    /// Which of them this is.
    pub rank: usize,
    /// How many they are, at least two.
    pub size: usize,
}

/// Who starts processes, and the variables in which it says how many and which. The first that speaks is right: where
/// `mpirun` itself uses `srun`, the latter's are those of its helpers. A batch script has Slurm's number of tasks
/// without being one of them, so it is the number of the step's tasks that counts.
const LAUNCHERS: [(&str, &str, &str); 4] = [
    ("mpirun", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
    ("mpirun", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"),
    ("mpiexec", "PMI_SIZE", "PMI_RANK"),
    ("srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
];

/// What started this process as one of several; `None` for a process by itself.
pub fn launch() -> Option<Launch> {
    find(|name| env::var(name).ok()?.parse().ok())
}

fn find(number: impl Fn(&str) -> Option<usize>) -> Option<Launch> {
    let mut speaking = LAUNCHERS.iter().filter_map(|(by, size, rank)| {
        let (size, rank) = (number(size)?, number(rank).unwrap_or(0));
        Some(Launch { by, rank, size })
    });
    speaking.next().filter(|launch| launch.size > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_launcher_that_speaks_is_right() {
        let found = |set: &[(&str, usize)]| find(|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| *value));
        let srun = [("SLURM_STEP_NUM_TASKS", 4), ("SLURM_PROCID", 3)];
        let mpirun = |size| [("OMPI_COMM_WORLD_SIZE", size), ("OMPI_COMM_WORLD_RANK", 1)];
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[("SLURM_NTASKS", 4), ("SLURM_PROCID", 0)]), None);
        assert_eq!(found(&srun), Some(Launch { by: "srun", rank: 3, size: 4 }));
        assert_eq!(found(&[mpirun(2), srun].concat()), Some(Launch { by: "mpirun", rank: 1, size: 2 }));
        assert_eq!(found(&[mpirun(1), srun].concat()), None);
    }
}
