; acc + u * s lane by lane in int16, u at most 127: smlal, smlal2
; The empty asm hides that s repeats four bytes: LLVM would make one half of both, which smlal2 cannot
; take, and move the upper half of every u down instead (16 of the 84 instructions of mad2's loop).
define weak_odr <16 x i16> @trit_dot1x16(<16 x i16> %acc, <16 x i8> %u, <16 x i8> %s) alwaysinline nounwind readnone {
  %v = call <16 x i8> asm "", "=w,0"(<16 x i8> %s) nounwind readnone
  %ul = shufflevector <16 x i8> %u, <16 x i8> undef, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>
  %uh = shufflevector <16 x i8> %u, <16 x i8> undef, <8 x i32> <i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %sl = shufflevector <16 x i8> %v, <16 x i8> undef, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>
  %sh = shufflevector <16 x i8> %v, <16 x i8> undef, <8 x i32> <i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %pl = call <8 x i16> @llvm.aarch64.neon.smull.v8i16(<8 x i8> %ul, <8 x i8> %sl)
  %ph = call <8 x i16> @llvm.aarch64.neon.smull.v8i16(<8 x i8> %uh, <8 x i8> %sh)
  %p = shufflevector <8 x i16> %pl, <8 x i16> %ph, <16 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %r = add <16 x i16> %acc, %p
  ret <16 x i16> %r
}

; acc + sums of four int16: saddlp, addp
define weak_odr <4 x i32> @trit_quadsx4(<4 x i32> %acc, <16 x i16> %v) alwaysinline nounwind readnone {
  %l = shufflevector <16 x i16> %v, <16 x i16> undef, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>
  %h = shufflevector <16 x i16> %v, <16 x i16> undef, <8 x i32> <i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %pl = call <4 x i32> @llvm.aarch64.neon.saddlp.v4i32.v8i16(<8 x i16> %l)
  %ph = call <4 x i32> @llvm.aarch64.neon.saddlp.v4i32.v8i16(<8 x i16> %h)
  %s = call <4 x i32> @llvm.aarch64.neon.addp.v4i32(<4 x i32> %pl, <4 x i32> %ph)
  %r = add <4 x i32> %acc, %s
  ret <4 x i32> %r
}

; acc + sums of four unsigned x signed byte products, u at most 127: smull, addp, sadalp
define weak_odr <4 x i32> @trit_dot4x4(<4 x i32> %acc, <16 x i8> %u, <16 x i8> %s) alwaysinline nounwind readnone {
  %ul = shufflevector <16 x i8> %u, <16 x i8> undef, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>
  %uh = shufflevector <16 x i8> %u, <16 x i8> undef, <8 x i32> <i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %sl = shufflevector <16 x i8> %s, <16 x i8> undef, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>
  %sh = shufflevector <16 x i8> %s, <16 x i8> undef, <8 x i32> <i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %pl = call <8 x i16> @llvm.aarch64.neon.smull.v8i16(<8 x i8> %ul, <8 x i8> %sl)
  %ph = call <8 x i16> @llvm.aarch64.neon.smull.v8i16(<8 x i8> %uh, <8 x i8> %sh)
  %l = call <4 x i32> @llvm.aarch64.neon.saddlp.v4i32.v8i16(<8 x i16> %pl)
  %h = call <4 x i32> @llvm.aarch64.neon.saddlp.v4i32.v8i16(<8 x i16> %ph)
  %s4 = call <4 x i32> @llvm.aarch64.neon.addp.v4i32(<4 x i32> %l, <4 x i32> %h)
  %r = add <4 x i32> %acc, %s4
  ret <4 x i32> %r
}
declare <8 x i16> @llvm.aarch64.neon.smull.v8i16(<8 x i8>, <8 x i8>)
declare <4 x i32> @llvm.aarch64.neon.saddlp.v4i32.v8i16(<8 x i16>)
declare <4 x i32> @llvm.aarch64.neon.addp.v4i32(<4 x i32>, <4 x i32>)

; 16 entries of int16 in two byte planes, indices 0..15; result lane i belongs to byte i: tbl
define weak_odr <16 x i16> @trit_join16x16(<16 x i8> %low, <16 x i8> %high, <16 x i8> %index) alwaysinline nounwind readnone {
  %sa = call <16 x i8> @llvm.aarch64.neon.tbl1.v16i8(<16 x i8> %low, <16 x i8> %index)
  %sb = call <16 x i8> @llvm.aarch64.neon.tbl1.v16i8(<16 x i8> %high, <16 x i8> %index)
  %u0 = shufflevector <16 x i8> %sa, <16 x i8> %sb, <16 x i32> <i32 0, i32 16, i32 1, i32 17, i32 2, i32 18, i32 3, i32 19, i32 4, i32 20, i32 5, i32 21, i32 6, i32 22, i32 7, i32 23>
  %u1 = shufflevector <16 x i8> %sa, <16 x i8> %sb, <16 x i32> <i32 8, i32 24, i32 9, i32 25, i32 10, i32 26, i32 11, i32 27, i32 12, i32 28, i32 13, i32 29, i32 14, i32 30, i32 15, i32 31>
  %z0 = bitcast <16 x i8> %u0 to <8 x i16>
  %z1 = bitcast <16 x i8> %u1 to <8 x i16>
  %r = shufflevector <8 x i16> %z0, <8 x i16> %z1, <16 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  ret <16 x i16> %r
}

; the same, the entry complemented where the top bit of the sign byte is set
define weak_odr <16 x i16> @trit_signed16x16(<16 x i8> %low, <16 x i8> %high, <16 x i8> %index, <16 x i8> %sign) alwaysinline nounwind readnone {
  %a = call <16 x i8> @llvm.aarch64.neon.tbl1.v16i8(<16 x i8> %low, <16 x i8> %index)
  %b = call <16 x i8> @llvm.aarch64.neon.tbl1.v16i8(<16 x i8> %high, <16 x i8> %index)
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

; 48 entries, complemented by the sign byte: tbl with three registers
define weak_odr <16 x i16> @trit_signed48x16(<48 x i8> %low, <48 x i8> %high, <16 x i8> %index, <16 x i8> %sign) alwaysinline nounwind readnone {
  %l0 = shufflevector <48 x i8> %low, <48 x i8> undef, <16 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %l1 = shufflevector <48 x i8> %low, <48 x i8> undef, <16 x i32> <i32 16, i32 17, i32 18, i32 19, i32 20, i32 21, i32 22, i32 23, i32 24, i32 25, i32 26, i32 27, i32 28, i32 29, i32 30, i32 31>
  %l2 = shufflevector <48 x i8> %low, <48 x i8> undef, <16 x i32> <i32 32, i32 33, i32 34, i32 35, i32 36, i32 37, i32 38, i32 39, i32 40, i32 41, i32 42, i32 43, i32 44, i32 45, i32 46, i32 47>
  %h0 = shufflevector <48 x i8> %high, <48 x i8> undef, <16 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %h1 = shufflevector <48 x i8> %high, <48 x i8> undef, <16 x i32> <i32 16, i32 17, i32 18, i32 19, i32 20, i32 21, i32 22, i32 23, i32 24, i32 25, i32 26, i32 27, i32 28, i32 29, i32 30, i32 31>
  %h2 = shufflevector <48 x i8> %high, <48 x i8> undef, <16 x i32> <i32 32, i32 33, i32 34, i32 35, i32 36, i32 37, i32 38, i32 39, i32 40, i32 41, i32 42, i32 43, i32 44, i32 45, i32 46, i32 47>
  %a = call <16 x i8> @llvm.aarch64.neon.tbl3.v16i8(<16 x i8> %l0, <16 x i8> %l1, <16 x i8> %l2, <16 x i8> %index)
  %b = call <16 x i8> @llvm.aarch64.neon.tbl3.v16i8(<16 x i8> %h0, <16 x i8> %h1, <16 x i8> %h2, <16 x i8> %index)
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

; 128 entries, indices 0..127: tbl with four registers, tbx for the upper half
define weak_odr <16 x i16> @trit_join128x16(<128 x i8> %low, <128 x i8> %high, <16 x i8> %index) alwaysinline nounwind readnone {
  %l0 = shufflevector <128 x i8> %low, <128 x i8> undef, <16 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %l1 = shufflevector <128 x i8> %low, <128 x i8> undef, <16 x i32> <i32 16, i32 17, i32 18, i32 19, i32 20, i32 21, i32 22, i32 23, i32 24, i32 25, i32 26, i32 27, i32 28, i32 29, i32 30, i32 31>
  %l2 = shufflevector <128 x i8> %low, <128 x i8> undef, <16 x i32> <i32 32, i32 33, i32 34, i32 35, i32 36, i32 37, i32 38, i32 39, i32 40, i32 41, i32 42, i32 43, i32 44, i32 45, i32 46, i32 47>
  %l3 = shufflevector <128 x i8> %low, <128 x i8> undef, <16 x i32> <i32 48, i32 49, i32 50, i32 51, i32 52, i32 53, i32 54, i32 55, i32 56, i32 57, i32 58, i32 59, i32 60, i32 61, i32 62, i32 63>
  %l4 = shufflevector <128 x i8> %low, <128 x i8> undef, <16 x i32> <i32 64, i32 65, i32 66, i32 67, i32 68, i32 69, i32 70, i32 71, i32 72, i32 73, i32 74, i32 75, i32 76, i32 77, i32 78, i32 79>
  %l5 = shufflevector <128 x i8> %low, <128 x i8> undef, <16 x i32> <i32 80, i32 81, i32 82, i32 83, i32 84, i32 85, i32 86, i32 87, i32 88, i32 89, i32 90, i32 91, i32 92, i32 93, i32 94, i32 95>
  %l6 = shufflevector <128 x i8> %low, <128 x i8> undef, <16 x i32> <i32 96, i32 97, i32 98, i32 99, i32 100, i32 101, i32 102, i32 103, i32 104, i32 105, i32 106, i32 107, i32 108, i32 109, i32 110, i32 111>
  %l7 = shufflevector <128 x i8> %low, <128 x i8> undef, <16 x i32> <i32 112, i32 113, i32 114, i32 115, i32 116, i32 117, i32 118, i32 119, i32 120, i32 121, i32 122, i32 123, i32 124, i32 125, i32 126, i32 127>
  %h0 = shufflevector <128 x i8> %high, <128 x i8> undef, <16 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %h1 = shufflevector <128 x i8> %high, <128 x i8> undef, <16 x i32> <i32 16, i32 17, i32 18, i32 19, i32 20, i32 21, i32 22, i32 23, i32 24, i32 25, i32 26, i32 27, i32 28, i32 29, i32 30, i32 31>
  %h2 = shufflevector <128 x i8> %high, <128 x i8> undef, <16 x i32> <i32 32, i32 33, i32 34, i32 35, i32 36, i32 37, i32 38, i32 39, i32 40, i32 41, i32 42, i32 43, i32 44, i32 45, i32 46, i32 47>
  %h3 = shufflevector <128 x i8> %high, <128 x i8> undef, <16 x i32> <i32 48, i32 49, i32 50, i32 51, i32 52, i32 53, i32 54, i32 55, i32 56, i32 57, i32 58, i32 59, i32 60, i32 61, i32 62, i32 63>
  %h4 = shufflevector <128 x i8> %high, <128 x i8> undef, <16 x i32> <i32 64, i32 65, i32 66, i32 67, i32 68, i32 69, i32 70, i32 71, i32 72, i32 73, i32 74, i32 75, i32 76, i32 77, i32 78, i32 79>
  %h5 = shufflevector <128 x i8> %high, <128 x i8> undef, <16 x i32> <i32 80, i32 81, i32 82, i32 83, i32 84, i32 85, i32 86, i32 87, i32 88, i32 89, i32 90, i32 91, i32 92, i32 93, i32 94, i32 95>
  %h6 = shufflevector <128 x i8> %high, <128 x i8> undef, <16 x i32> <i32 96, i32 97, i32 98, i32 99, i32 100, i32 101, i32 102, i32 103, i32 104, i32 105, i32 106, i32 107, i32 108, i32 109, i32 110, i32 111>
  %h7 = shufflevector <128 x i8> %high, <128 x i8> undef, <16 x i32> <i32 112, i32 113, i32 114, i32 115, i32 116, i32 117, i32 118, i32 119, i32 120, i32 121, i32 122, i32 123, i32 124, i32 125, i32 126, i32 127>
  %upper = sub <16 x i8> %index, <i8 64, i8 64, i8 64, i8 64, i8 64, i8 64, i8 64, i8 64, i8 64, i8 64, i8 64, i8 64, i8 64, i8 64, i8 64, i8 64>
  %a = call <16 x i8> @llvm.aarch64.neon.tbl4.v16i8(<16 x i8> %l0, <16 x i8> %l1, <16 x i8> %l2, <16 x i8> %l3, <16 x i8> %index)
  %sa = call <16 x i8> @llvm.aarch64.neon.tbx4.v16i8(<16 x i8> %a, <16 x i8> %l4, <16 x i8> %l5, <16 x i8> %l6, <16 x i8> %l7, <16 x i8> %upper)
  %b = call <16 x i8> @llvm.aarch64.neon.tbl4.v16i8(<16 x i8> %h0, <16 x i8> %h1, <16 x i8> %h2, <16 x i8> %h3, <16 x i8> %index)
  %sb = call <16 x i8> @llvm.aarch64.neon.tbx4.v16i8(<16 x i8> %b, <16 x i8> %h4, <16 x i8> %h5, <16 x i8> %h6, <16 x i8> %h7, <16 x i8> %upper)
  %u0 = shufflevector <16 x i8> %sa, <16 x i8> %sb, <16 x i32> <i32 0, i32 16, i32 1, i32 17, i32 2, i32 18, i32 3, i32 19, i32 4, i32 20, i32 5, i32 21, i32 6, i32 22, i32 7, i32 23>
  %u1 = shufflevector <16 x i8> %sa, <16 x i8> %sb, <16 x i32> <i32 8, i32 24, i32 9, i32 25, i32 10, i32 26, i32 11, i32 27, i32 12, i32 28, i32 13, i32 29, i32 14, i32 30, i32 15, i32 31>
  %z0 = bitcast <16 x i8> %u0 to <8 x i16>
  %z1 = bitcast <16 x i8> %u1 to <8 x i16>
  %r = shufflevector <8 x i16> %z0, <8 x i16> %z1, <16 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  ret <16 x i16> %r
}

declare <16 x i8> @llvm.aarch64.neon.tbl1.v16i8(<16 x i8>, <16 x i8>)
declare <16 x i8> @llvm.aarch64.neon.tbl3.v16i8(<16 x i8>, <16 x i8>, <16 x i8>, <16 x i8>)
declare <16 x i8> @llvm.aarch64.neon.tbl4.v16i8(<16 x i8>, <16 x i8>, <16 x i8>, <16 x i8>, <16 x i8>)
declare <16 x i8> @llvm.aarch64.neon.tbx4.v16i8(<16 x i8>, <16 x i8>, <16 x i8>, <16 x i8>, <16 x i8>, <16 x i8>)
