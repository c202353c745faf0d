/* Two tools: one reads a file, the other asks a service. */

#include "chiton_tool.h"
#include <ctype.h>

/* Counts the words of a text file. */
static bool count_words(const cJSON *arguments)
{
    const char *path = chiton_string(arguments, "path", "");
    char *text = chiton_read_file(path, NULL);
    if (!text) {
        return false;
    }
    int words = 0;
    for (char before = ' '; *text; before = *text++) {
        words += isspace((unsigned char)before) && !isspace((unsigned char)*text);
    }
    return chiton_text("%s has %d words", path, words);
}

/* Tells the weather of a city, which a service knows that wants a key. */
static bool weather(const cJSON *arguments)
{
    const char *city = chiton_string(arguments, "city", "");
    int days = (int)chiton_number(arguments, "days", 1);
    const char *key = chiton_secret("MY_SKILL_KEY"); /* stands for the value, which only the host knows */
    if (!key) {
        return false;
    }
    chiton_progress("asking for the weather of %s", city);
    chiton_response *response = chiton_send(&(chiton_request){
        .url = "https://api.example.com/v1/weather",
        .query = (chiton_field[]){{"city", city}, {"days", chiton_format("%d", days)}, {"key", key}, {0}},
    });
    if (!response) {
        return false;
    }
    if (response->status == 404) {
        return chiton_fail(CHITON_NOT_FOUND, "the service knows no city '%s'; try a larger one nearby", city);
    }
    cJSON *answer = chiton_success(response) ? chiton_response_json(response) : NULL;
    if (!answer) {
        return false;
    }
    return chiton_text("%s: %s, %.0f degrees", city, chiton_string(answer, "sky", "unknown"),
                       chiton_number(answer, "degrees", 0));
}

CHITON_TOOLS(
    {
        .name = "my_skill_words",
        .description = "Counts the words of a text file.",
        .parameters = "{\"type\": \"object\", \"properties\": {"
                      "  \"path\": {\"type\": \"string\", \"description\": \"Path of the file.\"}"
                      "}, \"required\": [\"path\"], \"additionalProperties\": false}",
        .effects = CHITON_READS_FILES,
        .run = count_words,
    },
    {
        .name = "my_skill_weather",
        .description = "Tells the weather of a city.",
        .parameters = "{\"type\": \"object\", \"properties\": {"
                      "  \"city\": {\"type\": \"string\", \"description\": \"Name of the city.\"},"
                      "  \"days\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 7, \"default\": 1,"
                      "              \"description\": \"For how many days.\"}"
                      "}, \"required\": [\"city\"], \"additionalProperties\": false}",
        .effects = CHITON_USES_NETWORK,
        .run = weather,
    }
);
