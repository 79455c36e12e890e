; acc + sums of four unsigned x signed byte products, on int16 products of neighbours: pmaddwd
define weak_odr <4 x i32> @trit_dot4x4(<4 x i32> %acc, <16 x i8> %u, <16 x i8> %s) alwaysinline nounwind readnone {
  %u16 = zext <16 x i8> %u to <16 x i16>
  %s16 = sext <16 x i8> %s to <16 x i16>
  %ul = shufflevector <16 x i16> %u16, <16 x i16> undef, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>
  %uh = shufflevector <16 x i16> %u16, <16 x i16> undef, <8 x i32> <i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %sl = shufflevector <16 x i16> %s16, <16 x i16> undef, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>
  %sh = shufflevector <16 x i16> %s16, <16 x i16> undef, <8 x i32> <i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %pl = call <4 x i32> @llvm.x86.sse2.pmadd.wd(<8 x i16> %ul, <8 x i16> %sl)
  %ph = call <4 x i32> @llvm.x86.sse2.pmadd.wd(<8 x i16> %uh, <8 x i16> %sh)
  %e = shufflevector <4 x i32> %pl, <4 x i32> %ph, <4 x i32> <i32 0, i32 2, i32 4, i32 6>
  %o = shufflevector <4 x i32> %pl, <4 x i32> %ph, <4 x i32> <i32 1, i32 3, i32 5, i32 7>
  %t = add <4 x i32> %e, %o
  %r = add <4 x i32> %acc, %t
  ret <4 x i32> %r
}
declare <4 x i32> @llvm.x86.sse2.pmadd.wd(<8 x i16>, <8 x i16>)
