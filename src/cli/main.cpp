#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/faces.h"
#include "cli/umbel/output.h"
#include "container/lifecycle.h"

// What the library calls for an exception that nobody catches: its own way to print it would add
// 45 KB, and umbel throws none.
namespace __gnu_cxx {
void __verbose_terminate_handler() { std::abort(); }
}  // namespace __gnu_cxx

namespace umbel::cli {

namespace {

int monitor_main(Words args) {
  return container::monitor_main(std::vector<std::string>(args.begin(), args.end()));
}

struct Face {
  std::string_view name;
  int (*main)(Words args);
};
constexpr std::array faces = std::to_array<Face>({
    {"umbel", umbel_main},
    {"umbel-oci", oci_main},
    {"umbel-criu", criu_main},
    {"criu", criu_main},
    {"umbel-monitor", monitor_main},  // what watches over a detached container
});

int run(const std::vector<std::string>& args) {
  const std::string_view called =
      args.empty() ? std::string_view("umbel") : std::string_view(args[0]);
  const std::string_view name = called.substr(called.rfind('/') + 1);
  for (const Face& face : faces)
    if (face.name == name) return face.main(args);
  return umbel_main(args);
}

}  // namespace

}  // namespace umbel::cli

int main(int count, char** words) {
  return umbel::cli::run(std::vector<std::string>(words, words + count));
}
