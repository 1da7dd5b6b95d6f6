/* Included by linalg.h, once for each element type HD_T; HD_N makes the name. lda, ldb, ...: elements from one row to the next.
 * Results are n: -1 where all went well, else the number of the row or column where it did not. Work memory comes from the
 * context; where it lacks, HD_ERR_MEMORY is recorded. No argument is checked for NaN: whoever takes data from outside does. */

/* C = alpha op(A) op(B) + beta C; see kern/gemm.h. */
void HD_N(hd_gemm)(hd_pool *p, bool ta, bool tb, int m, int n, int k, HD_T alpha, const HD_T *a, int lda, const HD_T *b, int ldb,
                   HD_T beta, HD_T *c, int ldc);

/* Its lower triangle alone (n x n), at half the work; see kern/gemm.h. */
void HD_N(hd_gemm_lower)(hd_pool *p, bool ta, bool tb, int n, int k, HD_T alpha, const HD_T *a, int lda, const HD_T *b, int ldb, HD_T beta,
                         HD_T *c, int ldc);

/* Lower triangle of C = alpha A A^T + beta C (A: n x k), or with `transposed` alpha A^T A + beta C (A: k x n). The part of C
 * above the diagonal is not touched. C: n x n. */
void HD_N(hd_syrk)(hd_pool *p, bool transposed, int n, int k, HD_T alpha, const HD_T *a, int lda, HD_T beta, HD_T *c, int ldc);

/* The part of X (n x n) above the diagonal becomes the mirror image of that below it. */
void HD_N(hd_mirror)(int n, HD_T *x, int ldx);

/* A = L L^T from the lower triangle of A, which becomes L; above the diagonal nothing is read or written. Returns -1, or the
 * pivot (0..n-1) at which A is not positive definite: L is whole before it. */
int HD_N(hd_cholesky)(hd_pool *p, int n, HD_T *a, int lda);

/* B = op(T)^-1 B in place, or with `right` B = B op(T)^-1. T: lower triangular n x n, or upper; op: transposed or not. B: n x m (m x n
 * if right). The diagonal must have no zero. */
typedef struct HD_N(hd_triangle) {
    bool upper, transposed, right, unit; /* unit: the diagonal is taken for ones and not read */
} HD_N(hd_triangle);
void HD_N(hd_trsm)(hd_pool *p, HD_N(hd_triangle) kind, int n, int m, const HD_T *t, int ldt, HD_T *b, int ldb);

/* X = (L L^T)^-1 B in place of B (n x m), L from hd_cholesky; `right`: X = B (L L^T)^-1, B m x n. */
void HD_N(hd_cholesky_solve)(hd_pool *p, bool right, int n, int m, const HD_T *l, int ldl, HD_T *b, int ldb);

/* Index of an element that is not finite, the first of them, or -1. */
int HD_N(hd_find_not_finite)(int n, const HD_T *x);

/* Householder QR of A (m x n, m >= n): R is left on and above the diagonal, the vectors v_j (v_jj = 1) below it, tau[n] beside:
 * A = H_0 .. H_{n-1} [R; 0], H_j = I - tau_j v_j v_j^T (Golub & Van Loan, 5.2). */
hd_status HD_N(hd_qr)(hd_context *c, int m, int n, HD_T *a, int lda, HD_T *tau);
/* The first n columns of Q into q (m x n). */
hd_status HD_N(hd_qr_q)(hd_context *c, int m, int n, const HD_T *a, int lda, const HD_T *tau, HD_T *q, int ldq);
/* B = Q^T B or Q B in place (m x k), Q whole. */
hd_status HD_N(hd_qr_apply)(hd_context *c, bool transposed, int m, int n, int k, const HD_T *a, int lda, const HD_T *tau, HD_T *b, int ldb);

/* Symmetric A = E diag(d) E^T from its lower triangle. d ascending; `vectors` n x n gets E, its columns the eigenvectors, each with its
 * largest component positive; NULL: values only. A is destroyed. HD_ERR_DIVERGED: it did not converge (A not finite). */
hd_status HD_N(hd_eigh)(hd_context *c, int n, HD_T *a, int lda, HD_T *d, HD_T *vectors, int ldv);

/* Thin SVD A = U diag(s) V^T (A: m x n, r = min(m, n)), s descending. u: m x r, vt: r x n; either may be NULL. A is destroyed. */
hd_status HD_N(hd_svd)(hd_context *c, int m, int n, HD_T *a, int lda, HD_T *s, HD_T *u, int ldu, HD_T *vt, int ldvt);

/* q: m x n (m >= n) with orthonormal columns, of the Haar distribution: QR of a matrix of normal numbers (counters 0, 1, .. of rng), with R's
 * diagonal made positive. */
hd_status HD_N(hd_random_orthogonal)(hd_context *c, int m, int n, uint64_t seed, HD_T *q, int ldq);
