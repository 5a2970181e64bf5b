// SPDX-License-Identifier: Apache-2.0

// What it costs on this machine to start a program and see it end.
int main(void) { return 0; }
