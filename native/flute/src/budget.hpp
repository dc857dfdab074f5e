#pragma once

#include <cstdint>

namespace streamverse::flute {

// A bound on something shared by all objects of a receiver.
class Budget {
 public:
    explicit Budget(uint64_t max) : max_(max) {}
    [[nodiscard]] bool Take(uint64_t amount) {
        if (amount > max_ - used_) {
            return false;
        }
        used_ += amount;
        return true;
    }
    void Give(uint64_t amount) { used_ -= amount; }
    [[nodiscard]] uint64_t used() const { return used_; }

 private:
    uint64_t max_;
    uint64_t used_ = 0;
};

}  // namespace streamverse::flute
