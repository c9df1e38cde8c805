;; Dot products in float32, sixteen numbers at a time. Compiled into `simd-kernel.ts`; its test compiles this text again and compares.
(module
  (memory (import "rows" "memory") 1)
  ;; Of the query with `count` rows, which are listed from `rows` on by number (int32), lie from `block` on, and take `stride` bytes each, a multiple of 16.
  ;; Writes float32 from `products` on. All others are addresses too. Every row is summed in the same order.
  (func (export "dotProducts")
    (param $query i32) (param $block i32) (param $stride i32) (param $rows i32) (param $count i32) (param $products i32)
    (local $rowsEnd i32) (local $queryEnd i32) (local $wideEnd i32) (local $q i32) (local $r i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $rowsEnd (i32.add (local.get $rows) (i32.shl (local.get $count) (i32.const 2))))
    (local.set $queryEnd (i32.add (local.get $query) (local.get $stride)))
    (local.set $wideEnd (i32.add (local.get $query) (i32.and (local.get $stride) (i32.const -64))))
    (block $done
      (loop $row
        (br_if $done (i32.ge_u (local.get $rows) (local.get $rowsEnd)))
        (local.set $q (local.get $query))
        (local.set $r (i32.add (local.get $block) (i32.mul (i32.load (local.get $rows)) (local.get $stride))))
        (local.set $a (v128.const f32x4 0 0 0 0))
        (local.set $b (v128.const f32x4 0 0 0 0))
        (local.set $c (v128.const f32x4 0 0 0 0))
        (local.set $d (v128.const f32x4 0 0 0 0))
        (block $narrow
          (loop $wide
            (br_if $narrow (i32.ge_u (local.get $q) (local.get $wideEnd)))
            (local.set $a (f32x4.add (local.get $a) (f32x4.mul (v128.load (local.get $q)) (v128.load (local.get $r)))))
            (local.set $b (f32x4.add (local.get $b) (f32x4.mul (v128.load offset=16 (local.get $q)) (v128.load offset=16 (local.get $r)))))
            (local.set $c (f32x4.add (local.get $c) (f32x4.mul (v128.load offset=32 (local.get $q)) (v128.load offset=32 (local.get $r)))))
            (local.set $d (f32x4.add (local.get $d) (f32x4.mul (v128.load offset=48 (local.get $q)) (v128.load offset=48 (local.get $r)))))
            (local.set $q (i32.add (local.get $q) (i32.const 64)))
            (local.set $r (i32.add (local.get $r) (i32.const 64)))
            (br $wide)))
        (block $summed
          (loop $rest
            (br_if $summed (i32.ge_u (local.get $q) (local.get $queryEnd)))
            (local.set $a (f32x4.add (local.get $a) (f32x4.mul (v128.load (local.get $q)) (v128.load (local.get $r)))))
            (local.set $q (i32.add (local.get $q) (i32.const 16)))
            (local.set $r (i32.add (local.get $r) (i32.const 16)))
            (br $rest)))
        (local.set $a (f32x4.add (f32x4.add (local.get $a) (local.get $b)) (f32x4.add (local.get $c) (local.get $d))))
        (f32.store (local.get $products)
          (f32.add
            (f32.add (f32x4.extract_lane 0 (local.get $a)) (f32x4.extract_lane 1 (local.get $a)))
            (f32.add (f32x4.extract_lane 2 (local.get $a)) (f32x4.extract_lane 3 (local.get $a)))))
        (local.set $rows (i32.add (local.get $rows) (i32.const 4)))
        (local.set $products (i32.add (local.get $products) (i32.const 4)))
        (br $row)))))
