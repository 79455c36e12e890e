; 32 entries of int16, the low five bits of a lane as index: vpermw
define weak_odr <32 x i16> @trit_word32x32(<32 x i16> %table, <32 x i16> %index) alwaysinline nounwind readnone {
  %r = call <32 x i16> @llvm.x86.avx512.permvar.hi.512(<32 x i16> %table, <32 x i16> %index)
  ret <32 x i16> %r
}
declare <32 x i16> @llvm.x86.avx512.permvar.hi.512(<32 x i16>, <32 x i16>)

; acc + sums of two unsigned x signed byte products; no pair sum may pass 32767: vpmaddubsw
define weak_odr <32 x i16> @trit_dot2x32(<32 x i16> %acc, <64 x i8> %u, <64 x i8> %s) alwaysinline nounwind readnone {
  %p = call <32 x i16> @llvm.x86.avx512.pmaddubs.w.512(<64 x i8> %u, <64 x i8> %s)
  %r = add <32 x i16> %acc, %p
  ret <32 x i16> %r
}
declare <32 x i16> @llvm.x86.avx512.pmaddubs.w.512(<64 x i8>, <64 x i8>)

; acc + sums of two int16: vpmaddwd by ones
define weak_odr <16 x i32> @trit_pairsx16(<16 x i32> %acc, <32 x i16> %v) alwaysinline nounwind readnone {
  %p = call <16 x i32> @llvm.x86.avx512.pmaddw.d.512(<32 x i16> %v, <32 x i16> <i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1, i16 1>)
  %r = add <16 x i32> %acc, %p
  ret <16 x i32> %r
}
declare <16 x i32> @llvm.x86.avx512.pmaddw.d.512(<32 x i16>, <32 x i16>)
