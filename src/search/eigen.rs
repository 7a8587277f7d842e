//! Eigenvectors of a symmetric matrix by Jacobi's rotations, in cyclic order (Golub & Van Loan, Matrix Computations,
//! 8.5).
//!
//! Slower than by way of a tridiagonal matrix, and short; of `+ - * /` and square roots in one order, so that every
//! machine finds the same bits; and small eigenvalues of a positive definite matrix come out as exact as large ones
//! (Demmel & Veselic 1992), which is what a search needs that is a million times narrower one way than another.

/// An element this small beside the diagonal's geometric mean is 0: the rotation would not change the values.
const NEGLIGIBLE: f64 = 1e-16;
/// Convergence is quadratic; a matrix of 100 rows takes about 10.
const SWEEPS: usize = 50;

/// Eigenvalues of the symmetric `matrix`, `[row][column]`, in no order of size, and their eigenvectors of length 1,
/// `[eigenvector][component]`.
pub(super) fn symmetric(matrix: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut a = matrix.to_vec();
    let mut vectors = vec![0.0; n * n];
    (0..n).for_each(|i| vectors[i * n + i] = 1.0);
    for _ in 0..SWEEPS {
        let mut is_done = true;
        for p in 0..n {
            for q in p + 1..n {
                let [pp, qq, pq] = [a[p * n + p], a[q * n + q], a[p * n + q]];
                if pq.abs() > NEGLIGIBLE * (pp * qq).abs().sqrt() {
                    is_done = false;
                    rotate(&mut a, &mut vectors, n, [p, q]);
                }
            }
        }
        if is_done {
            break;
        }
    }
    ((0..n).map(|i| a[i * n + i]).collect(), vectors)
}

/// Turn the axes p < q so that `a[p][q]` becomes 0.
fn rotate(a: &mut [f64], vectors: &mut [f64], n: usize, [p, q]: [usize; 2]) {
    let [pp, qq, pq] = [a[p * n + p], a[q * n + q], a[p * n + q]];
    let theta = (qq - pp) / (2.0 * pq);
    let root = theta.abs() + (theta * theta + 1.0).sqrt();
    let tangent = if theta < 0.0 { -1.0 / root } else { 1.0 / root };
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
    let sine = tangent * cosine;
    for matrix in [&mut *a, vectors] {
        let (above, below) = matrix.split_at_mut(q * n);
        for (x, y) in above[p * n..][..n].iter_mut().zip(&mut below[..n]) {
            (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
        }
    }
    for row in [p, q] {
        (0..n).for_each(|k| a[k * n + row] = a[row * n + k]);
    }
    a[p * n + p] = pp - tangent * pq;
    a[q * n + q] = qq + tangent * pq;
    (a[p * n + q], a[q * n + p]) = (0.0, 0.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Row, Stream};

    /// Orthonormal rows: those of the unit matrix, each reflected at one plane after another.
    fn basis(n: usize) -> Vec<f64> {
        let mut rows = vec![0.0; n * n];
        (0..n).for_each(|i| rows[i * n + i] = 1.0);
        for index in 0..n as u32 {
            let mut normal = vec![0.0; n];
            Row { seed: 3, stream: Stream::Initial, generation: 0, index }.normals(0, &mut normal);
            let normal: Vec<f64> = normal.into_iter().map(f64::from).collect();
            let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
            for row in rows.chunks_mut(n) {
                let along = 2.0 * dot(row, &normal) / dot(&normal, &normal);
                row.iter_mut().zip(&normal).for_each(|(x, normal)| *x -= along * normal);
            }
        }
        rows
    }

    #[test]
    fn known_values_come_back() {
        for (n, decades) in [(1, 0.0), (2, 3.0), (7, 6.0), (40, 12.0), (96, 12.0)] {
            let basis = basis(n);
            let known: Vec<f64> = (0..n).map(|i| 10f64.powf(-decades * i as f64 / n as f64)).collect();
            let matrix: Vec<f64> = (0..n * n)
                .map(|at| (0..n).map(|k| known[k] * basis[k * n + at / n] * basis[k * n + at % n]).sum())
                .collect();
            let (values, vectors) = symmetric(&matrix, n);
            let mut sorted = values.clone();
            sorted.sort_by(|a, b| b.total_cmp(a));
            for (value, known) in sorted.iter().zip(&known) {
                // The matrix itself is rounded beside its largest elements, of size 1.
                assert!((value - known).abs() < 1e-14 * n as f64, "{n} rows: {value:e}, not {known:e}");
            }
            for (i, (x, value)) in vectors.chunks(n).zip(&values).enumerate() {
                for (j, (y, row)) in vectors.chunks(n).zip(matrix.chunks(n)).enumerate() {
                    let dot = |other: &[f64]| x.iter().zip(other).map(|(x, y)| x * y).sum::<f64>();
                    let expected = if i == j { 1.0 } else { 0.0 };
                    assert!((dot(y) - expected).abs() < 1e-13, "{n} rows, vectors {i} and {j}: {:e}", dot(y));
                    assert!((dot(row) - value * x[j]).abs() < 1e-14 * n as f64, "{n} rows, vector {i}");
                }
            }
        }
    }

    #[test]
    fn small_values_of_a_graded_matrix_are_as_exact_as_large_ones() {
        // D A D with A = [[1, 1/2], [1/2, 1]] and D = (1, 1e-20): the product of the values is 3/4 1e-40.
        let (values, _) = symmetric(&[1.0, 0.5e-20, 0.5e-20, 1e-40], 2);
        assert!((values[0] * values[1] / 0.75e-40 - 1.0).abs() < 1e-14, "{values:?}");
    }
}
