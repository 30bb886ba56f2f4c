"""What should the initial weights of this network be, and why?"""
