; acc + sums of two unsigned x signed byte products; no pair sum may pass 32767: vpmaddubsw
define weak_odr <8 x i16> @trit_dot2x8(<8 x i16> %acc, <16 x i8> %u, <16 x i8> %s) alwaysinline nounwind readnone {
  %p = call <8 x i16> @llvm.x86.ssse3.pmadd.ub.sw.128(<16 x i8> %u, <16 x i8> %s)
  %r = add <8 x i16> %acc, %p
  ret <8 x i16> %r
}
declare <8 x i16> @llvm.x86.ssse3.pmadd.ub.sw.128(<16 x i8>, <16 x i8>)

; acc + sums of two int16: pmaddwd by ones
define weak_odr <4 x i32> @trit_pairsx4(<4 x i32> %acc, <8 x i16> %v) alwaysinline nounwind readnone {
  %p = call <4 x i32> @llvm.x86.sse2.pmadd.wd(<8 x i16> %v, <8 x i16> <i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1>)
  %r = add <4 x i32> %acc, %p
  ret <4 x i32> %r
}
declare <4 x i32> @llvm.x86.sse2.pmadd.wd(<8 x i16>, <8 x i16>)
