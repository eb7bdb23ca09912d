"""Gathers the pages that lie outside docs/, or are notebooks; MkDocs calls these functions (mkdocs.yml).

Links in the documents are relative to the tree, so that they also work where the repository is browsed. Here they
become links to pages of the site, or to the repository where no page shows the file.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File
from nbconvert import MarkdownExporter

REPOSITORY = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "config/README.md": "configuration.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "docs/tutorial.ipynb": "tutorial.md",
}


def on_files(files, config):
    """Add the documents outside docs/, and the notebook with its stored figures, as pages."""
    for path, page in PAGES.items():
        if path.endswith(".ipynb"):
            files.remove(files.get_file_from_path(posixpath.basename(path)))
            content, resources = MarkdownExporter().from_filename(REPOSITORY / path)
            for name, picture in resources["outputs"].items():
                files.append(File.generated(config, name, content=picture))
        else:
            content = (REPOSITORY / path).read_text()
        files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown, page, config, files):
    """Turn links of the tree into links of the site."""
    place = next((path for path, name in PAGES.items() if name == page.file.src_uri), f"docs/{page.file.src_uri}")

    def on_the_site(link):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(place), link["target"]))
        if target.startswith("docs/") or target in PAGES:
            return f"]({PAGES.get(target, target.removeprefix('docs/'))}{link['anchor']})"
        if (REPOSITORY / target).exists():
            return f"]({config.repo_url.rstrip('/')}/blob/main/{target}{link['anchor']})"
        return link[0]  # a figure of the notebook; or a fault, which MkDocs reports

    return re.sub(r"\]\((?P<target>[^\s()#:]+)(?P<anchor>(?:#[^\s()]*)?)\)", on_the_site, markdown)
