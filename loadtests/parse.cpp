// Prints what one parse of a file takes simdjson, in µs: the best of 200 rounds of 100.
//   parse FILE
#include <simdjson.h>

#include <chrono>
#include <cstdio>

int main(int count, char **arguments) {
  simdjson::padded_string text;
  if (count != 2 || simdjson::padded_string::load(arguments[1]).get(text)) return 2;
  simdjson::dom::parser parser;
  double best = 1e9;
  for (int round = 0; round < 200; round++) {
    auto began = std::chrono::steady_clock::now();
    for (int turn = 0; turn < 100; turn++) {
      simdjson::dom::element root;
      if (parser.parse(text).get(root)) return 1;
    }
    std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
    if (took.count() / 100 < best) best = took.count() / 100;
  }
  std::printf("%.4f\n", best);
}
