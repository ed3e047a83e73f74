#include "ns/net.h"

#include <gtest/gtest.h>

#include "sys/netlink.h"

namespace umbel::ns::net {

namespace {

TEST(Net, LinksAsAPersonWritesThem) {
  const Result<Link> cable = parse_link("eth0=veth:lab0");
  ASSERT_TRUE(cable);
  EXPECT_EQ(cable->name, "eth0");
  EXPECT_EQ(cable->type, LinkType::veth);
  EXPECT_EQ(cable->outside, "lab0");
  EXPECT_TRUE(parse_link("br0=bridge"));
  EXPECT_EQ(parse_link("eth0=macvlan:enp3s0")->type, LinkType::macvlan);
  EXPECT_EQ(parse_link("eth0=host:enp3s0")->type, LinkType::host);
}

TEST(Net, LinksThatAreNone) {
  for (const char* text :
       {"eth0", "eth0=", "=veth:x", "eth0=veth", "eth0=veth:", "br0=bridge:x", "eth0=nosuch:x",
        "a b=bridge", "a/b=bridge", "sixteen-letters-=bridge", "eth0=veth:sixteen-letters-"}) {
    const Result<Link> made = parse_link(text);
    EXPECT_FALSE(made) << text;
    EXPECT_TRUE(made || !made.error().cure.empty()) << text;
  }
}

TEST(Net, AddressesAndRoutes) {
  EXPECT_EQ(parse_address("eth0=fd00::1/64")->address, "fd00::1/64");
  for (const char* text : {"eth0", "eth0=", "eth0=10.0.0.1/33", "eth0=10.0.0/8", "eth0=fd00::1/129",
                           "eth0=10.0.0.1/", "eth0=10.0.0.1/x"})
    EXPECT_FALSE(parse_address(text)) << text;
  EXPECT_EQ(parse_route("default=10.0.0.1")->to, "default");
  EXPECT_TRUE(parse_route("10.1.0.0/16=10.0.0.1"));
  for (const char* text : {"default", "default=", "x=10.0.0.1", "default=10.0.0.256"})
    EXPECT_FALSE(parse_route(text)) << text;
}

TEST(Net, PrefixesOfBothVersions) {
  const Result<sys::IpPrefix> four = sys::parse_prefix("10.9.0.2/24");
  ASSERT_TRUE(four);
  EXPECT_EQ(four->bytes, std::string("\x0a\x09\x00\x02", 4));
  EXPECT_EQ(four->length, 24);
  EXPECT_EQ(sys::parse_prefix("10.9.0.2")->length, 32);
  EXPECT_EQ(sys::parse_prefix("::1")->length, 128);
  EXPECT_TRUE(sys::parse_prefix("::1")->version6);
}

}  // namespace

}  // namespace umbel::ns::net
