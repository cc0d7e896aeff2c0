// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands in for libFuzzer where there is none: runs a target on each file of the folders and
 * files named, in the order of their names, and says how many there were. A failure ends the
 * process in the middle; the last line then names the file.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz/fuzz.h"

static unsigned int runs;

static bool run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t len = 0;
	struct stat st;
	bool good = f && !fstat(fileno(f), &st);

	if (good) {
		/* Of exactly that length, so that one octet too far is seen. */
		data = malloc(st.st_size ? (size_t)st.st_size : 1);
		len = data ? fread(data, 1, (size_t)st.st_size, f) : 0;
		good = data && len == (size_t)st.st_size;
	}
	if (f)
		fclose(f);
	if (good) {
		fprintf(stderr, "%s\n", path);
		LLVMFuzzerTestOneInput(data, len);
		runs++;
	} else {
		fprintf(stderr, "cannot read %s\n", path);
	}
	free(data);
	return good;
}

static int not_dot(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static bool run_folder(const char *folder)
{
	struct dirent **list;
	int n = scandir(folder, &list, not_dot, alphasort);
	char path[PATH_MAX];
	bool good = n >= 0;

	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, list[i]->d_name);
		good = run_file(path) && good;
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return good;
}

int main(int argc, char **argv)
{
	bool good = true;
	struct stat st;

	for (int i = 1; i < argc; i++) {
		if (!stat(argv[i], &st) && S_ISDIR(st.st_mode))
			good = run_folder(argv[i]) && good;
		else
			good = run_file(argv[i]) && good;
	}
	printf("%u inputs\n", runs);
	return good && runs ? EXIT_SUCCESS : EXIT_FAILURE;
}
