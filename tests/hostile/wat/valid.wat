;; The smallest tool component. Hostile components are this text with one region replaced: a region
;; starts at a line `;;? NAME` and ends at the next line `;;.`; see `src/text.rs`.
(component
  (import "chiton:tool/tool-types@0.1.0" (instance $types
    (type $e (flags "reads-files" "writes-files" "uses-network" "runs-programs" "sends-messages" "schedules" "spawns" "destructive"))
    (export "effects" (type $effects (eq $e)))
    (type $d (record (field "name" string) (field "description" string) (field "parameters" string) (field "effects" $effects)))
    (export "definition" (type (eq $d)))
    (type $b (record (field "mime" string) (field "data" (list u8))))
    (export "blob" (type $blob (eq $b)))
    (type $p (variant (case "text" string) (case "json" string) (case "image" $blob) (case "file" $blob)))
    (export "part" (type (eq $p)))
    (type $f (variant (case "invalid-arguments" string) (case "denied" string) (case "not-found" string) (case "timed-out" string) (case "failed" string)))
    (export "failure" (type (eq $f)))))
  ;;? imports
  ;;.
  (core module $guest
    ;;? module
    ;;.
    ;;? memory
    (memory (export "memory") 4)
    ;;.
    ;;? heap
    (global $heap (mut i32) (i32.const 131072))
    ;;.
    (func $realloc (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
      ;;? realloc
      (call $bump (local.get $align) (local.get $size))
      ;;.
    )
    (func $bump (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at
        (i32.and
          (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
          (i32.sub (i32.const 0) (local.get $align))))
      (global.set $heap (i32.add (local.get $at) (local.get $size)))
      (block $enough
        (loop $more
          (br_if $enough
            (i32.le_u (global.get $heap) (i32.shl (memory.size) (i32.const 16))))
          (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))
          (unreachable)))
      (local.get $at))
    (func $list-tools (export "list-tools") (result i32)
      ;;? list-tools
      (i32.const 16)
      ;;.
    )
    (func $call (export "call") (param $name i32) (param $name-length i32) (param $arguments i32) (param $arguments-length i32) (result i32)
      ;;? call
      (i32.const 96)
      ;;.
    )
    (func $post-return (export "post-return") (param i32)
      ;;? post-return
      ;;.
    )
    ;;? start
    ;;.
    ;; list<definition>: where and how many
    ;;? list
    (data (i32.const 16) "\20\00\00\00" "\01\00\00\00")
    ;;.
    ;;? definition
    (data (i32.const 32) "\00\04\00\00" "\05\00\00\00" "\00\08\00\00" "\10\00\00\00" "\00\10\00\00" "\11\00\00\00" "\00")
    (data (i32.const 1024) "valid")
    (data (i32.const 2048) "Answers at once.")
    (data (i32.const 4096) "{\22type\22:\22object\22}")
    ;;.
    ;; result<list<part>, failure>: ok, where, how many; then the part and its text
    ;;? result
    (data (i32.const 96) "\00\00\00\00" "\80\00\00\00" "\01\00\00\00")
    (data (i32.const 128) "\00\00\00\00" "\a0\00\00\00" "\04\00\00\00")
    (data (i32.const 160) "done")
    ;;.
  )
  (core instance $instance
    ;;? instantiate
    (instantiate $guest)
    ;;.
  )
  (alias core export $instance "memory" (core memory $memory))
  (alias core export $instance "realloc" (core func $realloc))
  (alias export $types "effects" (type $effects))
  (alias export $types "definition" (type $definition))
  (alias export $types "blob" (type $blob))
  (alias export $types "part" (type $part))
  (alias export $types "failure" (type $failure))
  (func $list-tools (result (list $definition))
    (canon lift (core func $instance "list-tools") (memory $memory)
      ;;? list-tools options
      ;;.
    ))
  (func $call (param "name" string) (param "arguments" string) (result (result (list $part) (error $failure)))
    (canon lift (core func $instance "call") (memory $memory) (realloc $realloc)
      ;;? call options
      (post-return (core func $instance "post-return"))
      ;;.
    ))
  (component $shape
    (type (flags "reads-files" "writes-files" "uses-network" "runs-programs" "sends-messages" "schedules" "spawns" "destructive"))
    (import "effects" (type $effects (eq 0)))
    (type $d (record (field "name" string) (field "description" string) (field "parameters" string) (field "effects" $effects)))
    (import "definition" (type $definition (eq $d)))
    (type $b (record (field "mime" string) (field "data" (list u8))))
    (import "blob" (type $blob (eq $b)))
    (type $p (variant (case "text" string) (case "json" string) (case "image" $blob) (case "file" $blob)))
    (import "part" (type $part (eq $p)))
    (type $f (variant (case "invalid-arguments" string) (case "denied" string) (case "not-found" string) (case "timed-out" string) (case "failed" string)))
    (import "failure" (type $failure (eq $f)))
    (import "list-tools" (func $list-tools (result (list $definition))))
    (import "call" (func $call (param "name" string) (param "arguments" string) (result (result (list $part) (error $failure)))))
    (export $out-definition "definition" (type $definition))
    (export $out-part "part" (type $part))
    (export $out-failure "failure" (type $failure))
    (export "list-tools" (func $list-tools) (func (result (list $out-definition))))
    (export "call" (func $call)
      (func (param "name" string) (param "arguments" string) (result (result (list $out-part) (error $out-failure)))))
  )
  (instance $tools
    (instantiate $shape
      (with "effects" (type $effects))
      (with "definition" (type $definition))
      (with "blob" (type $blob))
      (with "part" (type $part))
      (with "failure" (type $failure))
      (with "list-tools" (func $list-tools))
      (with "call" (func $call))))
  ;;? export
  (export "chiton:tool/tools@0.1.0" (instance $tools))
  ;;.
  ;;? exports
  ;;.
)
