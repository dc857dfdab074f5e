#pragma once

#include <unistd.h>

#include <utility>

namespace streamverse::packet {

// Owns one file descriptor.
class Descriptor {
 public:
    Descriptor() = default;
    explicit Descriptor(int value) : value_(value) {}
    ~Descriptor() { Close(); }
    Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        if (this != &other) {
            Close();
            value_ = std::exchange(other.value_, -1);
        }
        return *this;
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int get() const { return value_; }
    bool valid() const { return value_ >= 0; }

 private:
    void Close() {
        if (value_ >= 0) {
            ::close(value_);
        }
    }

    int value_ = -1;
};

}  // namespace streamverse::packet
