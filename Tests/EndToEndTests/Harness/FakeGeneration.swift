// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A process that listens on a control socket and answers as it is told, whatever the protocol says.
struct FakeGeneration {
    let process: ChildProcess

    /// Answers each connection with the next of `answers`, the last one for ever.
    ///
    /// An empty one closes without a word, `exit` ends the process, and one that begins with a line
    /// `turn PATH` first makes the name of the socket a link to PATH. One that is a JSON object has an
    /// answer for each kind of request.
    init(
        _ service: TestService, generation: Int = 1, serving: Bool = true, user: UInt32? = nil,
        answers: [String]
    ) throws {
        let script = """
            import json, os, socket, sys
            runtime, name, answers = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
            os.makedirs(runtime, mode=0o700, exist_ok=True)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            os.umask(0)
            listener.bind(runtime + "/" + name)
            if sys.argv[4] == "1": os.symlink(name, runtime + "/serving")
            if sys.argv[5]: os.setuid(int(sys.argv[5]))
            listener.listen(8)
            print("ready", flush=True)
            while True:
                connection, _ = listener.accept()
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                if answer == "exit": os._exit(0)
                request = connection.recv(65536)
                if not request:
                    connection.close()
                    continue
                kind = request.decode("utf-8", "replace").split("\\n")[0].split(" ")[-1]
                if answer.startswith("{"): answer = json.loads(answer).get(kind, "")
                print("asked " + request.decode("utf-8", "replace").split("\\n")[0], flush=True)
                if answer.startswith("turn "):
                    # Before it answers: whoever asked looks at the name again after that.
                    target, _, answer = answer.removeprefix("turn ").partition("\\n")
                    os.unlink(runtime + "/" + name)
                    os.symlink(target, runtime + "/" + name)
                if answer: connection.send(answer.encode("utf-8", "surrogateescape"))
                connection.close()
            """
        let encoded = String(
            decoding: try JSONSerialization.data(withJSONObject: answers), as: UTF8.self)
        process = try ChildProcess(
            "/usr/bin/env",
            [
                "python3", "-c", script, service.runtime, "\(generation).sock", encoded,
                serving ? "1" : "0", user.map { "\($0)" } ?? "", service.name,
            ])
        service.companions.append(process)
        _ = try process.line("ready")
    }

    static func status(_ service: TestService, _ lines: String = "", generation: Int = 1) -> String
    {
        "SUCCESSION/1 status\n\(lines)SERVICE=\(service.name)\nGENERATION=\(generation)\nPID=4\n"
            + "STATE=serving\n"
    }
}
