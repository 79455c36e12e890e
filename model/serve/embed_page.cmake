# cmake -DINPUT=page.html -DOUTPUT=page.cpp -P embed_page.cmake: the file as a C++ array.
file(READ "${INPUT}" hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REPLACE "0x0a," "0x0a,\n" bytes "${bytes}")  # a line of the page is a line here
file(WRITE "${OUTPUT}" "#include \"model/serve/page.h\"

namespace trit::serve {

static const unsigned char kPage[] = {
${bytes}
};

std::string_view PageHtml() { return {reinterpret_cast<const char*>(kPage), sizeof(kPage)}; }

}  // namespace trit::serve
")
