; acc + sums of two unsigned x signed byte products; no pair sum may pass 32767: vpmaddubsw
define weak_odr <16 x i16> @trit_dot2x16(<16 x i16> %acc, <32 x i8> %u, <32 x i8> %s) alwaysinline nounwind readnone {
  %p = call <16 x i16> @llvm.x86.avx2.pmadd.ub.sw(<32 x i8> %u, <32 x i8> %s)
  %r = add <16 x i16> %acc, %p
  ret <16 x i16> %r
}
declare <16 x i16> @llvm.x86.avx2.pmadd.ub.sw(<32 x i8>, <32 x i8>)

; acc + sums of two int16: pmaddwd by ones
define weak_odr <8 x i32> @trit_pairsx8(<8 x i32> %acc, <16 x i16> %v) alwaysinline nounwind readnone {
  %p = call <8 x i32> @llvm.x86.avx2.pmadd.wd(<16 x i16> %v, <16 x i16> <i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1>)
  %r = add <8 x i32> %acc, %p
  ret <8 x i32> %r
}
declare <8 x i32> @llvm.x86.avx2.pmadd.wd(<16 x i16>, <16 x i16>)
