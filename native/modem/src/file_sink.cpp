#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "modem/src/sample_sink.hpp"
#include "packet/src/descriptor.hpp"

namespace streamverse::modem {

namespace {

constexpr int kSliceMs = 50;  // between looks at `stop`
constexpr mode_t kMode = 0644;

OutputError Failure(const std::string& path) {
    return OutputError(path + ": " + std::strerror(errno));
}

class FileSink final : public SampleSink {
 public:
    explicit FileSink(std::string path) : path_(std::move(path)) {}

    void Open(const std::atomic<bool>& stop) override {
        // A pipe cannot be opened until somebody reads it.
        while (!stop) {
            file_ = packet::Descriptor(
                ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, kMode));
            if (file_.valid()) {
                return;
            }
            if (errno != ENXIO && errno != EINTR) {
                throw Failure(path_);
            }
            ::poll(nullptr, 0, kSliceMs);
        }
    }

    void Write(std::span<const uint8_t> bytes, const std::atomic<bool>& stop) override {
        while (!bytes.empty()) {
            const ssize_t count = ::write(file_.get(), bytes.data(), bytes.size());
            if (count >= 0) {
                bytes = bytes.subspan(static_cast<size_t>(count));
            } else if (errno == EAGAIN) {
                if (stop) {
                    return;
                }
                pollfd entry{file_.get(), POLLOUT, 0};
                ::poll(&entry, 1, kSliceMs);
            } else if (errno != EINTR) {
                throw Failure(path_);
            }
        }
    }

 private:
    std::string path_;
    packet::Descriptor file_;
};

}  // namespace

std::unique_ptr<SampleSink> MakeFileSink(const std::string& path) {
    return std::make_unique<FileSink>(path);
}

}  // namespace streamverse::modem
