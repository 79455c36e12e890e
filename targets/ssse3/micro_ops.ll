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

; 16 entries of int16 in two byte planes, indices 0..15. Result lane 8 h + 8 l + b belongs to byte
; 16 l + 8 h + b (the unpack instructions): pshufb
define weak_odr <16 x i16> @trit_join16x16(<16 x i8> %low, <16 x i8> %high, <16 x i8> %index) alwaysinline nounwind readnone {
  %tl = shufflevector <16 x i8> %low, <16 x i8> undef, <16 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %th = shufflevector <16 x i8> %high, <16 x i8> undef, <16 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %sa = call <16 x i8> @llvm.x86.ssse3.pshuf.b.128(<16 x i8> %tl, <16 x i8> %index)
  %sb = call <16 x i8> @llvm.x86.ssse3.pshuf.b.128(<16 x i8> %th, <16 x i8> %index)
  %u0 = shufflevector <16 x i8> %sa, <16 x i8> %sb, <16 x i32> <i32 0, i32 16, i32 1, i32 17, i32 2, i32 18, i32 3, i32 19, i32 4, i32 20, i32 5, i32 21, i32 6, i32 22, i32 7, i32 23>
  %u1 = shufflevector <16 x i8> %sa, <16 x i8> %sb, <16 x i32> <i32 8, i32 24, i32 9, i32 25, i32 10, i32 26, i32 11, i32 27, i32 12, i32 28, i32 13, i32 29, i32 14, i32 30, i32 15, i32 31>
  %z0 = bitcast <16 x i8> %u0 to <8 x i16>
  %z1 = bitcast <16 x i8> %u1 to <8 x i16>
  %r = shufflevector <8 x i16> %z0, <8 x i16> %z1, <16 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  ret <16 x i16> %r
}

; the same, the entry complemented where the top bit of the sign byte is set
define weak_odr <16 x i16> @trit_signed16x16(<16 x i8> %low, <16 x i8> %high, <16 x i8> %index, <16 x i8> %sign) alwaysinline nounwind readnone {
  %tl = shufflevector <16 x i8> %low, <16 x i8> undef, <16 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %th = shufflevector <16 x i8> %high, <16 x i8> undef, <16 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %a = call <16 x i8> @llvm.x86.ssse3.pshuf.b.128(<16 x i8> %tl, <16 x i8> %index)
  %b = call <16 x i8> @llvm.x86.ssse3.pshuf.b.128(<16 x i8> %th, <16 x i8> %index)
  %c = icmp slt <16 x i8> %sign, zeroinitializer
  %m = sext <16 x i1> %c to <16 x i8>
  %sa = xor <16 x i8> %a, %m
  %sb = xor <16 x i8> %b, %m
  %u0 = shufflevector <16 x i8> %sa, <16 x i8> %sb, <16 x i32> <i32 0, i32 16, i32 1, i32 17, i32 2, i32 18, i32 3, i32 19, i32 4, i32 20, i32 5, i32 21, i32 6, i32 22, i32 7, i32 23>
  %u1 = shufflevector <16 x i8> %sa, <16 x i8> %sb, <16 x i32> <i32 8, i32 24, i32 9, i32 25, i32 10, i32 26, i32 11, i32 27, i32 12, i32 28, i32 13, i32 29, i32 14, i32 30, i32 15, i32 31>
  %z0 = bitcast <16 x i8> %u0 to <8 x i16>
  %z1 = bitcast <16 x i8> %u1 to <8 x i16>
  %r = shufflevector <8 x i16> %z0, <8 x i16> %z1, <16 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  ret <16 x i16> %r
}
declare <16 x i8> @llvm.x86.ssse3.pshuf.b.128(<16 x i8>, <16 x i8>)
