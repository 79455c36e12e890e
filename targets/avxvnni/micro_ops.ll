; acc + sums of four unsigned x signed byte products: vpdpbusd
define weak_odr <8 x i32> @trit_dot4x8(<8 x i32> %acc, <32 x i8> %u, <32 x i8> %s) alwaysinline nounwind readnone {
  %a = bitcast <32 x i8> %u to <8 x i32>
  %b = bitcast <32 x i8> %s to <8 x i32>
  %r = call <8 x i32> @llvm.x86.avx512.vpdpbusd.256(<8 x i32> %acc, <8 x i32> %a, <8 x i32> %b)
  ret <8 x i32> %r
}
declare <8 x i32> @llvm.x86.avx512.vpdpbusd.256(<8 x i32>, <8 x i32>, <8 x i32>)

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

; 16 entries of int16 in two byte planes, indices 0..15. Result lane 16 h + 8 l + b belongs to byte
; 16 l + 8 h + b (the unpack instructions): pshufb
define weak_odr <32 x i16> @trit_join16x32(<16 x i8> %low, <16 x i8> %high, <32 x i8> %index) alwaysinline nounwind readnone {
  %tl = shufflevector <16 x i8> %low, <16 x i8> undef, <32 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15, i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %th = shufflevector <16 x i8> %high, <16 x i8> undef, <32 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15, i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %sa = call <32 x i8> @llvm.x86.avx2.pshuf.b(<32 x i8> %tl, <32 x i8> %index)
  %sb = call <32 x i8> @llvm.x86.avx2.pshuf.b(<32 x i8> %th, <32 x i8> %index)
  %u0 = shufflevector <32 x i8> %sa, <32 x i8> %sb, <32 x i32> <i32 0, i32 32, i32 1, i32 33, i32 2, i32 34, i32 3, i32 35, i32 4, i32 36, i32 5, i32 37, i32 6, i32 38, i32 7, i32 39, i32 16, i32 48, i32 17, i32 49, i32 18, i32 50, i32 19, i32 51, i32 20, i32 52, i32 21, i32 53, i32 22, i32 54, i32 23, i32 55>
  %u1 = shufflevector <32 x i8> %sa, <32 x i8> %sb, <32 x i32> <i32 8, i32 40, i32 9, i32 41, i32 10, i32 42, i32 11, i32 43, i32 12, i32 44, i32 13, i32 45, i32 14, i32 46, i32 15, i32 47, i32 24, i32 56, i32 25, i32 57, i32 26, i32 58, i32 27, i32 59, i32 28, i32 60, i32 29, i32 61, i32 30, i32 62, i32 31, i32 63>
  %z0 = bitcast <32 x i8> %u0 to <16 x i16>
  %z1 = bitcast <32 x i8> %u1 to <16 x i16>
  %r = shufflevector <16 x i16> %z0, <16 x i16> %z1, <32 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15, i32 16, i32 17, i32 18, i32 19, i32 20, i32 21, i32 22, i32 23, i32 24, i32 25, i32 26, i32 27, i32 28, i32 29, i32 30, i32 31>
  ret <32 x i16> %r
}

; the same, the entry complemented where the top bit of the sign byte is set
define weak_odr <32 x i16> @trit_signed16x32(<16 x i8> %low, <16 x i8> %high, <32 x i8> %index, <32 x i8> %sign) alwaysinline nounwind readnone {
  %tl = shufflevector <16 x i8> %low, <16 x i8> undef, <32 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15, i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %th = shufflevector <16 x i8> %high, <16 x i8> undef, <32 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15, i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %a = call <32 x i8> @llvm.x86.avx2.pshuf.b(<32 x i8> %tl, <32 x i8> %index)
  %b = call <32 x i8> @llvm.x86.avx2.pshuf.b(<32 x i8> %th, <32 x i8> %index)
  %c = icmp slt <32 x i8> %sign, zeroinitializer
  %m = sext <32 x i1> %c to <32 x i8>
  %sa = xor <32 x i8> %a, %m
  %sb = xor <32 x i8> %b, %m
  %u0 = shufflevector <32 x i8> %sa, <32 x i8> %sb, <32 x i32> <i32 0, i32 32, i32 1, i32 33, i32 2, i32 34, i32 3, i32 35, i32 4, i32 36, i32 5, i32 37, i32 6, i32 38, i32 7, i32 39, i32 16, i32 48, i32 17, i32 49, i32 18, i32 50, i32 19, i32 51, i32 20, i32 52, i32 21, i32 53, i32 22, i32 54, i32 23, i32 55>
  %u1 = shufflevector <32 x i8> %sa, <32 x i8> %sb, <32 x i32> <i32 8, i32 40, i32 9, i32 41, i32 10, i32 42, i32 11, i32 43, i32 12, i32 44, i32 13, i32 45, i32 14, i32 46, i32 15, i32 47, i32 24, i32 56, i32 25, i32 57, i32 26, i32 58, i32 27, i32 59, i32 28, i32 60, i32 29, i32 61, i32 30, i32 62, i32 31, i32 63>
  %z0 = bitcast <32 x i8> %u0 to <16 x i16>
  %z1 = bitcast <32 x i8> %u1 to <16 x i16>
  %r = shufflevector <16 x i16> %z0, <16 x i16> %z1, <32 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15, i32 16, i32 17, i32 18, i32 19, i32 20, i32 21, i32 22, i32 23, i32 24, i32 25, i32 26, i32 27, i32 28, i32 29, i32 30, i32 31>
  ret <32 x i16> %r
}
declare <32 x i8> @llvm.x86.avx2.pshuf.b(<32 x i8>, <32 x i8>)
