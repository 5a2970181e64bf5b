// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Testing

@Suite struct TerminalTextTests {
    @Test(
        arguments: [
            ("plain ünïcödé 🜂\tx", "plain ünïcödé 🜂\tx"), ("\u{1B}[2Jx", "?[2Jx"),
            ("a\u{9B}31mb", "a?31mb"),
            ("one\ntwo\rthree", "one?two?three"), ("\u{7F}\u{0}\u{85}", "???"),
            ("\u{202E}gnp.exe\u{2066}", "?gnp.exe?"), ("\u{2028}", "?"),
        ])
    func line_whenControls_showsThem(text: String, expected: String) {
        #expect(TerminalText.line(text) == expected)
    }

    @Test func line_whenAnyScalar_hasNoControl() {
        for value in (0...0x2FFF as ClosedRange<UInt32>) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let shown = TerminalText.line(String(scalar))
            #expect(!shown.unicodeScalars.contains(where: TerminalText.isControl), "U+\(value)")
        }
    }

    @Test func lines_whenWrittenByThisProgram_keepsItsOwnControls() {
        #expect(TerminalText.lines("\rstep\u{1B}[K\nend\n") == "\rstep\u{1B}[K\nend\n")
        #expect(TerminalText.lines("\u{1B}]0;title\u{7}\u{1B}[Kx\u{1B}") == "?]0;title?\u{1B}[Kx?")
    }
}
