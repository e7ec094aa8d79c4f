// The sections of a report, in their order on the page. One that has nothing to say is left out.
#pragma once

#include "report/bench_file.h"
#include "report/page.h"

#include <vector>

namespace program::report {

// The first file is the baseline; there is one at least.
Page page_of(const std::vector<BenchFile> &files, double tolerance);

Section speed_section(const std::vector<BenchFile> &files);
Section difference_section(const std::vector<BenchFile> &files, double tolerance);
Section roofline_section(const std::vector<BenchFile> &files);
Section scaling_section(const std::vector<BenchFile> &files);
Section kernel_section(const std::vector<BenchFile> &files);
Section host_section(const std::vector<BenchFile> &files);
Section startup_section(const std::vector<BenchFile> &files);
Section run_section(const std::vector<BenchFile> &files);
Section device_section(const std::vector<BenchFile> &files);
Section method_section(double tolerance);

} // namespace program::report
