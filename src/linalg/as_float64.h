/* To be included first by NAME_f64.c, before the source it compiles once more: there `real` is double and each function of
 * linalg.h has its _f64 name. */
#ifndef HD_LINALG_AS_FLOAT64_H
#define HD_LINALG_AS_FLOAT64_H

#ifndef HD_FLOAT64
#define HD_FLOAT64
#endif
#define HD_AS_FLOAT64

#define hd_gemm hd_gemm_f64
#define hd_gemm_lower hd_gemm_lower_f64
#define hd_gemm_ref hd_gemm_ref_f64
#define hd_syrk hd_syrk_f64
#define hd_mirror hd_mirror_f64
#define hd_cholesky hd_cholesky_f64
#define hd_triangle hd_triangle_f64
#define hd_trsm hd_trsm_f64
#define hd_cholesky_solve hd_cholesky_solve_f64
#define hd_find_not_finite hd_find_not_finite_f64
#define hd_qr hd_qr_f64
#define hd_qr_q hd_qr_q_f64
#define hd_qr_apply hd_qr_apply_f64
#define hd_eigh hd_eigh_f64
#define hd_svd hd_svd_f64
#define hd_random_orthogonal hd_random_orthogonal_f64

#endif
